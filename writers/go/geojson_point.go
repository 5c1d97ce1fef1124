package outgraph

import (
	"fmt"
	"math"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// The axes of a point with their limits.
var axes = []struct {
	name  string
	limit float64
}{{"longitude", 180}, {"latitude", 90}, {"altitude", math.MaxFloat64}}

// geometryType returns the type of a GeoJSON geometry.
func geometryType(raw bson.RawValue) (string, bool) {
	geometry, ok := raw.Document().Lookup("type").StringValueOK()
	if !ok {
		return "", false
	}
	switch geometry {
	case "Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon", "GeometryCollection":
		return geometry, true
	}
	return "", false
}

// pointKind returns the kind of a GeoJSON Point, by its dimensions. It refuses other geometries, other fields, and
// coordinates that are no point in WGS-84.
func pointKind(raw bson.RawValue, geometry, path string) (string, error) {
	if geometry != "Point" {
		return "", faultf(CodeValueUnsupported,
			"%s: a GeoJSON %s cannot be a property value; use a Point.", path, geometry)
	}
	fields, err := raw.Document().Elements()
	if err != nil {
		return "", err
	}
	for _, field := range fields {
		if name := field.Key(); name != "type" && name != "coordinates" {
			return "", faultf(CodeValueUnsupported,
				"%s: a GeoJSON Point with the field %s cannot be a property value; use type and coordinates.", path, name)
		}
	}
	at := path + ".coordinates"
	array, ok := raw.Document().Lookup("coordinates").ArrayOK()
	if !ok {
		return "", wrongCoordinates(at)
	}
	coordinates, err := array.Values()
	if err != nil {
		return "", err
	}
	if len(coordinates) < 2 || len(coordinates) > 3 {
		return "", wrongCoordinates(at)
	}
	for index, coordinate := range coordinates {
		if value, ok := coordinate.AsFloat64OK(); ok && isNumeric(coordinate) && math.Abs(value) <= axes[index].limit {
			continue
		}
		allowed := "a finite number"
		if limit := axes[index].limit; limit < math.MaxFloat64 {
			allowed = fmt.Sprintf("a number from -%g to %g", limit, limit)
		}
		return "", faultf(CodeValueUnsupported,
			"%s[%d]: the %s of a GeoJSON Point must be %s.", at, index, axes[index].name, allowed)
	}
	if len(coordinates) == 2 {
		return "point", nil
	}
	return "point with an altitude", nil
}

func isNumeric(raw bson.RawValue) bool {
	return raw.Type == bson.TypeInt32 || raw.Type == bson.TypeInt64 || raw.Type == bson.TypeDouble
}

func wrongCoordinates(at string) error {
	return faultf(CodeValueUnsupported,
		"%s: a GeoJSON Point has an array of two or three numbers: longitude, latitude and altitude.", at)
}
