package xmem_test

import (
	"testing"

	xmem "outgraph.example/xmem/go"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// xmemCheck checks a scanned file without writing it.
func xmemCheck(t *testing.T, scanned xmem.ScannedFile) error {
	t.Helper()
	document, err := bson.Marshal(struct {
		OrgID            string `bson:"org_id"`
		Repo             string `bson:"repo"`
		xmem.ScannedFile `bson:",inline"`
	}{"acme", "shop", scanned})
	if err != nil {
		t.Fatal(err)
	}
	return xmem.File.Check(document)
}
