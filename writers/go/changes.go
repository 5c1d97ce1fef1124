package outgraph

import (
	"bytes"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// documentChanges returns the changes between two images of the same documents. It matches them by _id and compares
// their stored bytes, so that a write that changed nothing makes no event, and one that changed no declared field makes
// one only if recordUnchanged. A document that is only in after was inserted; one that is only in before was deleted.
//
// A write that changes the aggregate id of a document is refused. Another document may have had that id a moment
// before, or may get it in a later chunk of the same write: the events of one id would be in the wrong order.
func documentChanges(aggregate Aggregate, before, after []bson.Raw, recordUnchanged bool) ([]Change, error) {
	if err := aggregate.checkFields(); err != nil {
		return nil, err
	}
	known := make(map[string]bson.Raw, len(before))
	for _, document := range before {
		known[idKey(document)] = document
	}
	var changes []Change
	for _, document := range after {
		old, existed := known[idKey(document)]
		delete(known, idKey(document))
		if existed && bytes.Equal(old, document) {
			continue
		}
		id, err := aggregate.documentID(document)
		if err != nil {
			return nil, err
		}
		if existed {
			oldID, err := aggregate.documentID(old)
			if err != nil {
				return nil, err
			}
			if oldID != id {
				return nil, faultf(CodeEventInvalid,
					"aggregateId: the write changes the aggregate id of a %q, which must stay the same while the "+
						"document exists. Delete the document and insert it with the new id.", aggregate.Type)
			}
			if !recordUnchanged && aggregate.readsSame(old, document) {
				continue
			}
		}
		changes = append(changes, Upsert(id, document))
	}
	for _, document := range before {
		if _, deleted := known[idKey(document)]; !deleted {
			continue
		}
		id, err := aggregate.documentID(document)
		if err != nil {
			return nil, err
		}
		changes = append(changes, Delete(id))
	}
	return changes, nil
}

func idKey(document bson.Raw) string {
	id := document.Lookup("_id")
	return string(id.Type) + string(id.Value)
}
