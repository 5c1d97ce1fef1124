package xmem

import (
	"fmt"
	"strings"

	outgraph "outgraph.example/writers/go"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// XMem's aggregate types, with the same fields and refusals as in outgraph's projections. An invalid payload is refused
// with [outgraph.CodePayloadInvalid].
//
//	events := outgraph.Track(db, xmem.Event)
var (
	User       = outgraph.Aggregate{Type: "memory-user", Collection: "memory_users", Check: user.check}
	Event      = outgraph.Aggregate{Type: "memory-event", Collection: "memory_events", Check: event.check}
	Repository = outgraph.Aggregate{Type: "code-repository", Collection: "code_repositories", Check: repository.check}
	File       = outgraph.Aggregate{Type: "code-file", Collection: "code_files", Check: checkFile}
	Annotation = outgraph.Aggregate{Type: "code-annotation", Collection: "code_annotations", Check: annotation.check}
)

var user = object(field{"user_id", name})

var repository = object(field{"org_id", name}, field{"repo_name", name})

var event = object(
	field{"user_id", name},
	field{"date", calendarDay},
	field{"event_name", optional(text)},
	field{"desc", optional(text)},
	field{"year", optional(textOrNumber)},
	field{"time", optional(text)},
	field{"date_expression", optional(text)},
	field{"embedding", optional(list(number))},
)

var symbol = object(
	field{"symbol_name", name},
	field{"symbol_type", optional(text)},
	field{"summary", optional(text)},
	field{"signature", optional(text)},
	field{"docstring", optional(text)},
	field{"start_line", optional(number)},
	field{"end_line", optional(number)},
	field{"line_count", optional(number)},
	field{"parent_class", optional(text)},
	field{"is_public", optional(boolean)},
	field{"is_entrypoint", optional(boolean)},
	field{"complexity_bucket", optional(text)},
	field{"language", optional(text)},
	field{"content_hash", optional(text)},
	field{"signature_hash", optional(text)},
)

var reference = []field{{"from", name}, {"to", object(field{"file_path", filePath}, field{"symbol_name", name})}}

var call = object(append(reference[:2:2],
	field{"call_count", optional(number)},
	field{"is_direct", optional(boolean)},
)...)

var file = object(
	field{"org_id", name},
	field{"repo", name},
	field{"file_path", filePath},
	field{"language", optional(text)},
	field{"summary", optional(text)},
	field{"symbol_count", optional(number)},
	field{"total_lines", optional(number)},
	field{"commit_sha", optional(text)},
	field{"symbols", optional(list(symbol))},
	field{"calls", optional(list(call))},
	field{"imports", optional(list(object(field{"file_path", filePath}, field{"import_type", optional(text)})))},
	field{"inherits", optional(list(object(reference...)))},
	field{"implements", optional(list(object(reference...)))},
)

var annotation = object(
	field{"annotation_id", name},
	field{"org_id", name},
	field{"repo", name},
	field{"content", optional(text)},
	field{"annotation_type", optional(text)},
	field{"severity", optional(text)},
	field{"author_id", optional(text)},
	field{"author_name", optional(text)},
	field{"status", optional(text)},
	field{"created_at", optional(moment)},
	field{"resolved_at", optional(moment)},
	field{"resolved_by", optional(text)},
	field{"target", target},
)

var targets = map[string]shape{
	"symbol":    object(field{"file_path", filePath}, field{"symbol_name", name}, field{"relevance", optional(number)}),
	"file":      object(field{"file_path", filePath}, field{"relevance", optional(number)}),
	"directory": object(field{"dir_path", directoryPath}, field{"relevance", optional(number)}),
}

func target(raw bson.RawValue, path string, problems *[]string) {
	document, ok := raw.DocumentOK()
	if !ok {
		*problems = append(*problems, path+": must be an object")
		return
	}
	kind, _ := document.Lookup("kind").StringValueOK()
	of, known := targets[kind]
	if !known {
		*problems = append(*problems, path+`.kind: must be "symbol", "file" or "directory"`)
		return
	}
	of(raw, path, problems)
}

func checkFile(payload bson.Raw) error {
	if err := file.check(payload); err != nil {
		return err
	}
	var scanned struct {
		FilePath string `bson:"file_path"`
		Symbols  []struct {
			Name string `bson:"symbol_name"`
		} `bson:"symbols"`
		Imports []struct {
			FilePath string `bson:"file_path"`
		} `bson:"imports"`
		Calls      []Reference `bson:"calls"`
		Inherits   []Reference `bson:"inherits"`
		Implements []Reference `bson:"implements"`
	}
	if err := bson.Unmarshal(payload, &scanned); err != nil {
		return err
	}
	symbols := make(map[string]bool, len(scanned.Symbols))
	for _, symbol := range scanned.Symbols {
		symbols[symbol.Name] = true
	}
	imports := make(map[string]bool, len(scanned.Imports))
	for _, imported := range scanned.Imports {
		imports[imported.FilePath] = true
	}
	// The file with its CONTAINS_FILE, the directories with their CONTAINS_DIR, and the symbols with their DEFINES.
	// Members that are listed twice become one element.
	elements := 2 + 2*max(1, strings.Count(scanned.FilePath, "/")) + 2*len(symbols) + len(imports)
	for _, of := range []struct {
		name       string
		references []Reference
	}{{"calls", scanned.Calls}, {"inherits", scanned.Inherits}, {"implements", scanned.Implements}} {
		distinct := make(map[Reference]bool, len(of.references))
		for index, reference := range of.references {
			if !symbols[reference.From] {
				return fmt.Errorf("payload.%s[%d].from: must be a symbol of this file", of.name, index)
			}
			distinct[reference] = true
		}
		elements += len(distinct)
	}
	if elements > maxElements {
		return &outgraph.Fault{
			Code: outgraph.CodeSubgraphTooLarge,
			Message: fmt.Sprintf(
				"subgraph: %d elements, at most %d are allowed; scan less of such a file.", elements, maxElements),
		}
	}
	return nil
}

const maxElements = 10_000

var daysInMonth = [...]int{31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

// isDay reports whether the text is one of the 366 days of a leap year, as "MM-DD".
func isDay(text string) bool {
	var month, day int
	if len(text) != 5 || text[2] != '-' || strings.Trim(text[:2]+text[3:], "0123456789") != "" {
		return false
	}
	month, day = int(text[0]-'0')*10+int(text[1]-'0'), int(text[3]-'0')*10+int(text[4]-'0')
	return month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth[month-1]
}
