package xmem

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// shape appends the problems of a value, each with its path.
type shape func(raw bson.RawValue, path string, problems *[]string)

// problem returns a shape with one rule.
func problem(text string, holds func(raw bson.RawValue) bool) shape {
	return func(raw bson.RawValue, path string, problems *[]string) {
		if !holds(raw) {
			*problems = append(*problems, path+": "+text)
		}
	}
}

func hasType(types ...bson.Type) func(bson.RawValue) bool {
	return func(raw bson.RawValue) bool { return slices.Contains(types, raw.Type) }
}

var (
	text         = problem("must be a text", hasType(bson.TypeString))
	number       = problem("must be a number", hasType(bson.TypeInt32, bson.TypeInt64, bson.TypeDouble))
	textOrNumber = problem("must be a text or a number",
		hasType(bson.TypeString, bson.TypeInt32, bson.TypeInt64, bson.TypeDouble))
	boolean = problem("must be true or false", hasType(bson.TypeBoolean))
	moment  = problem("must be a text or a date", hasType(bson.TypeString, bson.TypeDateTime))
	// name is a text for a key.
	name = problem("must be a text that is not empty", func(raw bson.RawValue) bool {
		text, ok := raw.StringValueOK()
		return ok && text != ""
	})
	filePath = problem("must be the path of a file", func(raw bson.RawValue) bool {
		text, ok := raw.StringValueOK()
		return ok && text != "" && !strings.HasSuffix(text, "/")
	})
	directoryPath = problem(`must end with "/"`, func(raw bson.RawValue) bool {
		text, ok := raw.StringValueOK()
		return ok && strings.HasSuffix(text, "/")
	})
	calendarDay = problem(`must be one of the 366 days "MM-DD", from "01-01" to "12-31"`, func(raw bson.RawValue) bool {
		text, ok := raw.StringValueOK()
		return ok && isDay(text)
	})
)

// optional accepts null and a missing value: both mean that the property is absent.
func optional(of shape) shape {
	return func(raw bson.RawValue, path string, problems *[]string) {
		if !raw.IsZero() && raw.Type != bson.TypeNull && raw.Type != bson.TypeUndefined {
			of(raw, path, problems)
		}
	}
}

func list(of shape) shape {
	return func(raw bson.RawValue, path string, problems *[]string) {
		array, ok := raw.ArrayOK()
		if !ok {
			*problems = append(*problems, path+": must be an array")
			return
		}
		values, err := array.Values()
		if err != nil {
			*problems = append(*problems, path+": must be an array")
			return
		}
		for index, value := range values {
			of(value, fmt.Sprintf("%s[%d]", path, index), problems)
		}
	}
}

type field struct {
	name string
	of   shape
}

// object checks the fields that it knows, and ignores others.
func object(fields ...field) shape {
	return func(raw bson.RawValue, path string, problems *[]string) {
		document, ok := raw.DocumentOK()
		if !ok {
			*problems = append(*problems, path+": must be an object")
			return
		}
		for _, field := range fields {
			field.of(document.Lookup(field.name), path+"."+field.name, problems)
		}
	}
}

// check returns an error with all problems of a payload.
func (of shape) check(payload bson.Raw) error {
	var problems []string
	of(bson.RawValue{Type: bson.TypeEmbeddedDocument, Value: payload}, "payload", &problems)
	if len(problems) > 0 {
		return errors.New(strings.Join(problems, "; "))
	}
	return nil
}
