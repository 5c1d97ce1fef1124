package outgraph_test

import (
	"bytes"
	"net"
	"sync"
	"testing"

	outgraph "outgraph.example/writers/go"
	"outgraph.example/writers/go/internal/testdb"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// The test closes all connections of a writer in the middle of a transaction, at one exact message, like a primary that
// is killed.
func TestAWriterWhoseConnectionsEndWritesItsDocumentAndItsEventOnce(t *testing.T) {
	t.Parallel()
	insert := []byte("\x02insert\x00\x07\x00\x00\x00outbox\x00")
	commit := []byte("commitTransaction")
	for name, cut := range map[string]struct {
		at       []byte
		answered bool
	}{
		"before the event was inserted":                 {insert, false},
		"after the event was inserted":                  {insert, true},
		"before the commit":                             {commit, false},
		"after the commit, before its answer was heard": {commit, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			proxy := startProxy(t, cut.at, cut.answered)
			uri := "mongodb://" + proxy.listener.Addr().String() + "/?directConnection=true"
			db := testdb.Connect(t, options.Client().ApplyURI(uri).SetMinPoolSize(2))
			proxy.arm()
			if _, err := outgraph.Track(db, note).InsertOne(t.Context(), byID("a")); err != nil {
				t.Fatal(err)
			}
			if !proxy.hasCut() {
				t.Fatal("no connection was cut")
			}
			if count := len(testdb.All(t, db, "notes", "_id")); count != 1 {
				t.Errorf("%d documents", count)
			}
			expectEvents(t, db, "upsert a")
		})
	}
}

// proxy forwards connections to the primary. Once armed, it closes all of them at the first request that contains
// certain bytes: instead of forwarding the request, or after the server has responded to it.
type proxy struct {
	listener net.Listener
	primary  string
	at       []byte
	answered bool

	mutex       sync.Mutex
	armed, done bool
	connections map[net.Conn]bool
}

func startProxy(t *testing.T, at []byte, answered bool) *proxy {
	t.Helper()
	var hello struct {
		Primary string `bson:"primary"`
	}
	admin := testdb.New(t).Client().Database("admin")
	if err := admin.RunCommand(t.Context(), bson.D{{Key: "hello", Value: 1}}).Decode(&hello); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{
		listener: listener, primary: hello.Primary, at: at, answered: answered, connections: make(map[net.Conn]bool),
	}
	t.Cleanup(func() { _ = listener.Close() })
	go p.accept()
	return p
}

func (p *proxy) arm() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.armed = true
}

func (p *proxy) hasCut() bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.done
}

// takes reports, once, that the message contains the bytes.
func (p *proxy) takes(message []byte) bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if !p.armed || !bytes.Contains(message, p.at) {
		return false
	}
	p.armed, p.done = false, true
	return true
}

func (p *proxy) cutAll() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for connection := range p.connections {
		_ = connection.Close()
	}
}

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.primary)
		if err != nil {
			_ = client.Close()
			continue
		}
		p.mutex.Lock()
		p.connections[client], p.connections[server] = true, true
		p.mutex.Unlock()
		cutAnswer := make(chan struct{})
		go p.forward(client, server, func(message []byte) bool {
			if !p.takes(message) {
				return true
			}
			if p.answered {
				close(cutAnswer)
				return true
			}
			return false
		})
		go p.forward(server, client, func([]byte) bool {
			select {
			case <-cutAnswer:
				return false
			default:
				return true
			}
		})
	}
}

// forward forwards messages while may allows it, then closes all connections.
func (p *proxy) forward(from, to net.Conn, may func(message []byte) bool) {
	defer func() { _, _ = from.Close(), to.Close() }()
	buffer := make([]byte, 1<<20)
	for {
		length, err := from.Read(buffer)
		if err != nil {
			return
		}
		if !may(buffer[:length]) {
			p.cutAll()
			return
		}
		if _, err := to.Write(buffer[:length]); err != nil {
			return
		}
	}
}
