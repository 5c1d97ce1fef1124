package outgraph

import (
	"bytes"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// documentChanges are the changes between two images of the same documents, matched by _id and compared as the bytes that are stored, so that a write that changed nothing makes no event. A
// document that is only in after was inserted, one that is only in before was deleted; one whose aggregate id changed is a deletion of the old aggregate and an upsert of the new.
func documentChanges(aggregate Aggregate, before, after []bson.Raw) ([]Change, error) {
	known := make(map[string]bson.Raw, len(before))
	for _, document := range before {
		known[idKey(document)] = document
	}
	var deletions, upserts []Change
	still := make(map[string]bool, len(after))
	for _, document := range after {
		still[idKey(document)] = true
		old, existed := known[idKey(document)]
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
				deletions = append(deletions, Delete(oldID))
			}
		}
		upserts = append(upserts, Upsert(id, document))
	}
	for _, document := range before {
		if still[idKey(document)] {
			continue
		}
		id, err := aggregate.documentID(document)
		if err != nil {
			return nil, err
		}
		deletions = append(deletions, Delete(id))
	}
	// Deletions first: an id that one document gave up and another took over must end with the other's state.
	return append(deletions, upserts...), nil
}

func idKey(document bson.Raw) string {
	id := document.Lookup("_id")
	return string(id.Type) + string(id.Value)
}
