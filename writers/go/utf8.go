package outgraph

import (
	"fmt"
	"unicode/utf8"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// invalidText returns the path of a text or a field's name that is not UTF-8, or an empty text. The driver writes such
// texts without an error, and the consumer cannot read them.
func invalidText(document bson.Raw, path string) string {
	elements, err := document.Elements()
	if err != nil {
		return path
	}
	for _, element := range elements {
		place := path + "." + element.Key()
		if !utf8.ValidString(element.Key()) {
			return place
		}
		if found := invalidTextIn(element.Value(), place); found != "" {
			return found
		}
	}
	return ""
}

func invalidTextIn(value bson.RawValue, path string) string {
	var texts []string
	switch value.Type {
	case bson.TypeString:
		texts = []string{value.StringValue()}
	case bson.TypeSymbol:
		texts = []string{value.Symbol()}
	case bson.TypeJavaScript:
		texts = []string{value.JavaScript()}
	case bson.TypeRegex:
		pattern, options := value.Regex()
		texts = []string{pattern, options}
	case bson.TypeDBPointer:
		namespace, _ := value.DBPointer()
		texts = []string{namespace}
	case bson.TypeCodeWithScope:
		code, scope := value.CodeWithScope()
		if found := invalidText(scope, path); found != "" {
			return found
		}
		texts = []string{code}
	case bson.TypeEmbeddedDocument:
		return invalidText(value.Document(), path)
	case bson.TypeArray:
		values, err := value.Array().Values()
		if err != nil {
			return path
		}
		for index, element := range values {
			if found := invalidTextIn(element, fmt.Sprintf("%s[%d]", path, index)); found != "" {
				return found
			}
		}
	}
	for _, text := range texts {
		if !utf8.ValidString(text) {
			return path
		}
	}
	return ""
}
