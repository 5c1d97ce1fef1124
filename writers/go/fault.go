package outgraph

import (
	"fmt"
	"strings"
	"unicode"
)

// Code says why a change was refused. Those that a writer can meet are listed here; the others of outgraph's contract
// come from the graph's side.
type Code string

const (
	// CodeEventInvalid: the change cannot be made an event of the outbox.
	CodeEventInvalid Code = "event-invalid"
	// CodePayloadInvalid: the payload is not what its aggregate type declares.
	CodePayloadInvalid Code = "payload-invalid"
	// CodeSubgraphInvalid: a subgraph has not the shape of one.
	CodeSubgraphInvalid Code = "subgraph-invalid"
	// CodeSubgraphTooLarge: more than 10,000 elements in one subgraph.
	CodeSubgraphTooLarge Code = "subgraph-too-large"
	// CodeElementDuplicate: the same node or relationship is listed twice in one subgraph.
	CodeElementDuplicate Code = "element-duplicate"
	// CodeNameInvalid: a label, type or property name that is not allowed.
	CodeNameInvalid Code = "name-invalid"
	// CodeValueUnsupported: a value that Neo4j cannot hold as a property.
	CodeValueUnsupported Code = "value-unsupported"
	// CodeKeyInvalid: a key value that is not a string, an integer or a boolean, or a node without any key.
	CodeKeyInvalid Code = "key-invalid"
	// CodeKeyMismatch: a label that is keyed by different properties within one subgraph.
	CodeKeyMismatch Code = "key-mismatch"
	// CodeNoTransaction: the context carries no session with a running transaction.
	CodeNoTransaction Code = "no-transaction"
	// CodeWriteConcern: the transaction could be rolled back after it has been committed.
	CodeWriteConcern Code = "write-concern"
	// CodeUntracked: the call could write without recording events.
	CodeUntracked Code = "untracked"
)

// Fault is what this package refuses a change with. Errors of the driver are not made faults: they are wrapped, so that
// [errors.As] finds them with their labels.
//
//	var fault *outgraph.Fault
//	if errors.As(err, &fault) && fault.Code == outgraph.CodePayloadInvalid { ... }
type Fault struct {
	Code Code
	// Message names what is wrong by its path, never by its value.
	Message string
	// Err is what led to it, if anything did.
	Err error
}

func (f *Fault) Error() string { return fmt.Sprintf("outgraph: %s: %s", f.Code, f.Message) }

func (f *Fault) Unwrap() error { return f.Err }

// Is reports whether target is a fault of the same code: errors.Is(err, &Fault{Code: CodeNoTransaction}).
func (f *Fault) Is(target error) bool {
	other, ok := target.(*Fault)
	return ok && other.Code == f.Code
}

func faultf(code Code, format string, args ...any) *Fault {
	return &Fault{Code: code, Message: printable(fmt.Sprintf(format, args...))}
}

// A message is for people; a name in it may be as long as a document.
const maxMessageCharacters = 2_000

// printable makes one harmless line of a text that others had a hand in.
func printable(text string) string {
	var line strings.Builder
	characters := 0
	for _, character := range text {
		if characters++; characters > maxMessageCharacters {
			line.WriteString("…")
			break
		}
		switch {
		case !unicode.In(character, unicode.C, unicode.Zl, unicode.Zp):
			line.WriteRune(character)
		case character > 0xffff:
			fmt.Fprintf(&line, `\u{%x}`, character)
		default:
			fmt.Fprintf(&line, `\u%04x`, character)
		}
	}
	return line.String()
}
