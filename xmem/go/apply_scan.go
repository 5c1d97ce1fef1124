package xmem

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	outgraph "outgraph.example/writers/go"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// ScanOutcome is the number of files that a scan wrote, found unchanged, and removed.
type ScanOutcome struct {
	Written, Unchanged, Removed int64
}

// ApplyFiles replaces the documents of scanned files, and creates the repository if it does not exist. A file whose
// document does not change has no event. Other files are not changed.
//
//	outcome, err := code.ApplyFiles(ctx, "acme", "shop", xmem.ScannedFile{FilePath: "src/a.ts"})
//
// It refuses an invalid file, and a path that occurs twice, with [outgraph.CodePayloadInvalid]. It refuses a file with
// more than 10,000 elements with [outgraph.CodeSubgraphTooLarge].
func (c *CodeGraph) ApplyFiles(ctx context.Context, orgID, repo string, files ...ScannedFile) (ScanOutcome, error) {
	return c.apply(ctx, orgID, repo, files, false)
}

// ApplyScan is [CodeGraph.ApplyFiles] for all files of the repository: it deletes the files that are not in the list.
//
//	outcome, err := code.ApplyScan(ctx, "acme", "shop", []xmem.ScannedFile{{FilePath: "src/a.ts"}})
func (c *CodeGraph) ApplyScan(ctx context.Context, orgID, repo string, files []ScannedFile) (ScanOutcome, error) {
	return c.apply(ctx, orgID, repo, files, true)
}

func (c *CodeGraph) apply(
	ctx context.Context, orgID, repo string, files []ScannedFile, complete bool,
) (ScanOutcome, error) {
	scope, err := filter(argument{"org_id", orgID, name}, argument{"repo", repo, name})
	if err != nil {
		return ScanOutcome{}, err
	}
	documents, err := fileDocuments(orgID, repo, files)
	if err != nil {
		return ScanOutcome{}, err
	}
	paths := make(bson.A, 0, len(files))
	for _, scanned := range files {
		paths = append(paths, scanned.FilePath)
	}
	var outcome ScanOutcome
	err = outgraph.InTransaction(ctx, c.client, func(ctx context.Context) error {
		outcome = ScanOutcome{}
		repository := bson.D{{Key: "org_id", Value: orgID}, {Key: "repo_name", Value: repo}}
		create, upsert := bson.D{{Key: "$setOnInsert", Value: repository}}, options.UpdateOne().SetUpsert(true)
		if _, err := c.repositories.UpdateOne(ctx, repository, create, upsert); err != nil {
			return err
		}
		if complete {
			gone := append(scope[:2:2], bson.E{Key: "file_path", Value: bson.D{{Key: "$nin", Value: paths}}})
			result, err := c.files.DeleteMany(ctx, gone)
			if err != nil {
				return err
			}
			outcome.Removed = result.DeletedCount
		}
		outcome.Written, err = c.putFiles(ctx, scope, paths, documents)
		outcome.Unchanged = int64(len(files)) - outcome.Written
		return err
	})
	if err != nil {
		return ScanOutcome{}, err
	}
	return outcome, nil
}

// putFiles inserts new files and replaces changed ones in place. It returns the number of these files.
func (c *CodeGraph) putFiles(ctx context.Context, scope bson.D, paths bson.A, documents []bson.Raw) (int64, error) {
	known := make(map[string]bson.Raw)
	listed := append(scope[:2:2], bson.E{Key: "file_path", Value: bson.D{{Key: "$in", Value: paths}}})
	cursor, err := c.files.Find(ctx, listed)
	if err != nil {
		return 0, fmt.Errorf("xmem: reading files: %w", err)
	}
	defer cursor.Close(context.WithoutCancel(ctx))
	for cursor.Next(ctx) {
		stored := slices.Clone(cursor.Current)
		known[stored.Lookup("file_path").StringValue()] = stored
	}
	if err := cursor.Err(); err != nil {
		return 0, fmt.Errorf("xmem: reading files: %w", err)
	}
	var inserted []bson.Raw
	var replaced int64
	for _, document := range documents {
		stored, exists := known[document.Lookup("file_path").StringValue()]
		switch {
		case !exists:
			inserted = append(inserted, document)
		case !sameFields(stored, document):
			if _, err := c.files.ReplaceOne(ctx, byID(stored.Lookup("_id")), document); err != nil {
				return 0, err
			}
			replaced++
		}
	}
	if len(inserted) > 0 {
		if _, err := c.files.InsertMany(ctx, inserted); err != nil {
			return 0, err
		}
	}
	return int64(len(inserted)) + replaced, nil
}

// sameFields compares a stored document, without its _id, with one that has none.
func sameFields(stored, document bson.Raw) bool {
	id := stored.Index(0)
	// A document is its length in four bytes, its elements, and a zero.
	return id.Key() == "_id" && bytes.Equal(stored[4+len(id):], document[4:])
}

// fileDocuments returns the documents of scanned files. It refuses a path that occurs twice.
func fileDocuments(orgID, repo string, files []ScannedFile) ([]bson.Raw, error) {
	documents := make([]bson.Raw, 0, len(files))
	seen := make(map[string]bool, len(files))
	for index, scanned := range files {
		if seen[scanned.FilePath] {
			return nil, refused(fmt.Sprintf("files[%d].file_path: another file of this scan has the same path", index))
		}
		seen[scanned.FilePath] = true
		document, err := bson.Marshal(struct {
			OrgID       string `bson:"org_id"`
			Repo        string `bson:"repo"`
			ScannedFile `bson:",inline"`
		}{orgID, repo, scanned})
		if err != nil {
			return nil, fmt.Errorf("xmem: files[%d]: %w", index, err)
		}
		documents = append(documents, document)
	}
	return documents, nil
}
