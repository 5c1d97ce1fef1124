package outgraph

import (
	"fmt"
	"strings"
	"unicode"
)

// Code is the reason for which a change was refused, or an event was not applied. These are the codes that a writer
// finds itself. The other codes of outgraph's contract come from the consumer: [Settled] returns them.
//
//	if errors.Is(err, &outgraph.Fault{Code: outgraph.CodeNoTransaction}) { ... }
type Code string

const (
	// CodeEventInvalid means that the outbox does not accept the change as an event.
	CodeEventInvalid Code = "event-invalid"
	// CodePayloadInvalid means that the payload is not what its aggregate type declares.
	CodePayloadInvalid Code = "payload-invalid"
	// CodeSubgraphInvalid means that a subgraph does not have the shape of one.
	CodeSubgraphInvalid Code = "subgraph-invalid"
	// CodeSubgraphTooLarge means that a subgraph has more than 10,000 elements.
	CodeSubgraphTooLarge Code = "subgraph-too-large"
	// CodeElementDuplicate means that a subgraph lists the same node or relationship twice.
	CodeElementDuplicate Code = "element-duplicate"
	// CodeNameInvalid means that a label, type or property name is not allowed.
	CodeNameInvalid Code = "name-invalid"
	// CodeValueUnsupported means that Neo4j cannot hold a value as a property.
	CodeValueUnsupported Code = "value-unsupported"
	// CodeKeyInvalid means that a key value is not a string, an integer or a boolean, or that a node has no key.
	CodeKeyInvalid Code = "key-invalid"
	// CodeKeyMismatch means that a label is keyed by different properties within one subgraph.
	CodeKeyMismatch Code = "key-mismatch"
	// CodeNoTransaction means that the context carries no session with a running transaction.
	CodeNoTransaction Code = "no-transaction"
	// CodeWriteConcern means that the transaction could be rolled back after its commit.
	CodeWriteConcern Code = "write-concern"
	// CodeUntracked means that the call could write without recording events.
	CodeUntracked Code = "untracked"
	// CodeTooManyDocuments means that a write matches more documents than one transaction takes.
	CodeTooManyDocuments Code = "too-many-documents"
	// CodeUnfinished means that a write in chunks failed after some of them were committed.
	CodeUnfinished Code = "unfinished"
	// CodeNotSettled means that an event was not applied in the time given. It is still applied later.
	CodeNotSettled Code = "not-settled"
	// CodePermissionDenied means that the user may not read the outbox.
	CodePermissionDenied Code = "permission-denied"
)

// Fault is the error with which this package refuses a change. Errors of the driver are not faults: they are wrapped,
// so that [errors.As] finds them with their labels.
//
//	var fault *outgraph.Fault
//	if errors.As(err, &fault) && fault.Code == outgraph.CodePayloadInvalid { ... }
type Fault struct {
	Code Code
	// Message names the path of the error, never the value.
	Message string
	// Err is the cause, or nil.
	Err error
}

// Error returns the code and the message: "outgraph: <code>: <message>".
func (f *Fault) Error() string { return fmt.Sprintf("outgraph: %s: %s", f.Code, f.Message) }

// Unwrap returns the cause, or nil.
func (f *Fault) Unwrap() error { return f.Err }

// Is reports whether target is a fault with the same code:
//
//	errors.Is(err, &outgraph.Fault{Code: outgraph.CodeNoTransaction})
func (f *Fault) Is(target error) bool {
	other, ok := target.(*Fault)
	return ok && other.Code == f.Code
}

func faultf(code Code, format string, args ...any) *Fault {
	return &Fault{Code: code, Message: printable(fmt.Sprintf(format, args...))}
}

// Bounds a message: a name in it may be as long as a document.
const maxMessageCharacters = 2_000

// printable turns a text with untrusted parts into one harmless line.
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
