package outgraph_test

import (
	"math"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// The column of Go in docs/reference/values.md.
func TestStoredValues(t *testing.T) {
	for _, test := range []struct {
		name   string
		value  any
		stored bson.Type
	}{
		{"an int", 1, bson.TypeInt32},
		{"an int64", int64(1), bson.TypeInt64},
		{"a great int", math.MaxInt32 + 1, bson.TypeInt64},
		{"a fraction", 1.5, bson.TypeDouble},
		{"a float64 without a fraction", 1.0, bson.TypeDouble},
		{"bytes", []byte{1}, bson.TypeBinary},
	} {
		data, err := bson.Marshal(bson.M{"value": test.value})
		if err != nil {
			t.Fatal(err)
		}
		if stored := bson.Raw(data).Lookup("value").Type; stored != test.stored {
			t.Errorf("%s is stored as %s, not as %s", test.name, stored, test.stored)
		}
	}
}
