package outgraph

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// The range of JavaScript dates, which the consumer uses: this many milliseconds before and after 1970.
const dateMaxMillis = 8_640_000_000_000_000

// checkValue refuses a value that Neo4j cannot hold as a property.
func checkValue(raw bson.RawValue, path string) error {
	if raw.Type != bson.TypeArray {
		_, err := scalarKind(raw, path)
		return err
	}
	elements, err := readList(raw, path)
	if err != nil {
		return err
	}
	if len(elements) == 0 {
		return nil
	}
	kinds := make([]string, 0, len(elements))
	for index, element := range elements {
		kind, err := scalarKind(element, fmt.Sprintf("%s[%d]", path, index))
		if err != nil {
			return err
		}
		kinds = append(kinds, kind)
	}
	numbers, doubles := isNumber(kinds[0]), slices.Contains(kinds, "float")
	for index, kind := range kinds {
		if kind != kinds[0] && !(numbers && isNumber(kind)) {
			return faultf(CodeValueUnsupported,
				"%s[%d]: an array must hold one type, and this element is not %s like the first.",
				path, index, withArticle(kinds[0]))
		}
		if doubles && kind == "integer" && !isExactAsDouble(elements[index].AsInt64()) {
			return faultf(CodeValueUnsupported,
				"%s[%d]: in an array with doubles, an integer must be exact as a double; store the elements as "+
					"integers, or all of them as doubles.", path, index)
		}
	}
	return nil
}

// isNumber reports whether the kind is a number. An array may contain both kinds, and becomes an array of doubles.
func isNumber(kind string) bool { return kind == "integer" || kind == "float" }

func isExactAsDouble(integer int64) bool {
	double := float64(integer)
	return double < 1<<63 && int64(double) == integer
}

// scalarKind returns the kind of a value in the graph. An array may hold one kind only, or numbers.
func scalarKind(raw bson.RawValue, path string) (string, error) {
	switch raw.Type {
	case bson.TypeString:
		return "string", nil
	case bson.TypeBoolean:
		return "boolean", nil
	case bson.TypeInt32, bson.TypeInt64:
		return "integer", nil
	case bson.TypeDouble:
		return "float", nil
	case bson.TypeObjectID:
		return "objectId", nil
	case bson.TypeDateTime:
		if millis := raw.DateTime(); millis < -dateMaxMillis || millis > dateMaxMillis {
			return "", unsupported(path, "a date outside the range of JavaScript dates")
		}
		return "date", nil
	case bson.TypeBinary:
		if _, ok := uuidText(raw); ok {
			return "uuid", nil
		}
	case bson.TypeEmbeddedDocument:
		if geometry, ok := geometryType(raw); ok {
			return pointKind(raw, geometry, path)
		}
	}
	return "", unsupported(path, describe(raw))
}

// keyValue returns the text of a key value, with its type. An ObjectId and a UUID become strings.
func keyValue(raw bson.RawValue, path string) (string, error) {
	switch raw.Type {
	case bson.TypeString:
		return "s" + raw.StringValue(), nil
	case bson.TypeObjectID:
		return "s" + raw.ObjectID().Hex(), nil
	case bson.TypeBoolean:
		return strconv.FormatBool(raw.Boolean()), nil
	case bson.TypeInt32, bson.TypeInt64:
		return "i" + strconv.FormatInt(raw.AsInt64(), 10), nil
	case bson.TypeBinary:
		if text, ok := uuidText(raw); ok {
			return "s" + text, nil
		}
	}
	return "", faultf(CodeKeyInvalid,
		"%s: a key value must be a string, an integer or a boolean, not %s.", path, describe(raw))
}

// uuidText returns the text of a UUID. It accepts subtype 4 only: the byte order of the older subtype 3 differs from
// driver to driver.
func uuidText(raw bson.RawValue) (string, bool) {
	subtype, data, ok := raw.BinaryOK()
	if !ok || subtype != bson.TypeBinaryUUID || len(data) != 16 {
		return "", false
	}
	text := hex.EncodeToString(data)
	return text[:8] + "-" + text[8:12] + "-" + text[12:16] + "-" + text[16:20] + "-" + text[20:], true
}

func unsupported(path, what string) error {
	return faultf(CodeValueUnsupported,
		"%s: %s cannot be a property value; use a string, boolean, integer, double, date, ObjectId, UUID, "+
			"GeoJSON Point, or an array of one of these.", path, what)
}

func describe(raw bson.RawValue) string {
	switch raw.Type {
	case bson.TypeEmbeddedDocument:
		return "a nested object"
	case bson.TypeArray:
		return "an array"
	case bson.TypeNull, bson.TypeUndefined:
		return "null"
	case 0:
		return "undefined"
	default:
		return "a value of type " + raw.Type.String()
	}
}

func withArticle(kind string) string {
	if kind == "integer" || kind == "objectId" {
		return "an " + kind
	}
	return "a " + kind
}
