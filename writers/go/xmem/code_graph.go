package xmem

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	outgraph "outgraph.example/writers/go"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// CodeGraph is the code graph: repositories, their scanned files and the annotations, each a document that is found by its natural key.
type CodeGraph struct {
	client                           *mongo.Client
	repositories, files, annotations *outgraph.Collection
}

// NewCodeGraph is the code graph in a database.
func NewCodeGraph(db *mongo.Database, opts ...Option) *CodeGraph {
	return &CodeGraph{
		client:       db.Client(),
		repositories: track(db, Repository, opts),
		files:        track(db, File, opts),
		annotations:  track(db, Annotation, opts),
	}
}

// ScanOutcome says how many files a scan wrote, found as they were, and removed.
type ScanOutcome struct {
	Written, Unchanged, Removed int64
}

// ApplyFiles puts scanned files in the place of what their last scan found, and makes the repository, unless there is one. A file whose document stays the same has no event; other files stay.
func (c *CodeGraph) ApplyFiles(ctx context.Context, orgID, repo string, files ...ScannedFile) (ScanOutcome, error) {
	return c.apply(ctx, orgID, repo, files, false)
}

// ApplyScan is ApplyFiles for all files of the repository: those that are not among them are gone.
func (c *CodeGraph) ApplyScan(ctx context.Context, orgID, repo string, files []ScannedFile) (ScanOutcome, error) {
	return c.apply(ctx, orgID, repo, files, true)
}

func (c *CodeGraph) apply(ctx context.Context, orgID, repo string, files []ScannedFile, complete bool) (ScanOutcome, error) {
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
		if _, err := c.repositories.UpdateOne(ctx, repository, bson.D{{Key: "$setOnInsert", Value: repository}}, options.UpdateOne().SetUpsert(true)); err != nil {
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

// putFiles inserts new files and replaces those that have changed, in place; it says how many that are.
func (c *CodeGraph) putFiles(ctx context.Context, scope bson.D, paths bson.A, documents []bson.Raw) (int64, error) {
	known := make(map[string]bson.Raw)
	cursor, err := c.files.Find(ctx, append(scope[:2:2], bson.E{Key: "file_path", Value: bson.D{{Key: "$in", Value: paths}}}))
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

// fileDocuments are the documents of scanned files, each path once.
func fileDocuments(orgID, repo string, files []ScannedFile) ([]bson.Raw, error) {
	documents := make([]bson.Raw, 0, len(files))
	seen := make(map[string]bool, len(files))
	for index, scanned := range files {
		if seen[scanned.FilePath] {
			return nil, refused(fmt.Sprintf("files[%d].file_path: the same as of another file of this scan", index))
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

// DeleteFile deletes a file with all that its scan found; false if there was none.
func (c *CodeGraph) DeleteFile(ctx context.Context, orgID, repo, path string) (bool, error) {
	key, err := fileKey(orgID, repo, path)
	if err != nil {
		return false, err
	}
	result, err := c.files.DeleteOne(ctx, key)
	return err == nil && result.DeletedCount > 0, err
}

// RenameFile renames a file, with its references to itself, in the place of a file that has that path; false if there is none to rename. What other files and annotations say of the old path
// they say until they are scanned or put anew.
func (c *CodeGraph) RenameFile(ctx context.Context, orgID, repo, oldPath, newPath string) (bool, error) {
	from, err := fileKey(orgID, repo, oldPath)
	if err != nil {
		return false, err
	}
	to, err := fileKey(orgID, repo, newPath)
	if err != nil {
		return false, err
	}
	var renamed bool
	err = outgraph.InTransaction(ctx, c.client, func(ctx context.Context) error {
		renamed = false
		stored, err := c.files.FindOne(ctx, from).Raw()
		if errors.Is(err, mongo.ErrNoDocuments) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("xmem: reading a file: %w", err)
		}
		var found bson.D
		if err := bson.Unmarshal(stored, &found); err != nil {
			return fmt.Errorf("xmem: reading a file: %w", err)
		}
		renamed = true
		if oldPath == newPath {
			return nil
		}
		if _, err := c.files.DeleteOne(ctx, to); err != nil {
			return err
		}
		_, err = c.files.ReplaceOne(ctx, from, withPath(found, oldPath, newPath))
		return err
	})
	return err == nil && renamed, err
}

// withPath is the document of a file, or a part of it, in which each file_path that was the old one is the new one.
func withPath(document bson.D, oldPath, newPath string) bson.D {
	changed := make(bson.D, 0, len(document))
	for _, element := range document {
		switch value := element.Value.(type) {
		case string:
			if element.Key == "file_path" && value == oldPath {
				element.Value = newPath
			}
		case bson.D:
			element.Value = withPath(value, oldPath, newPath)
		case bson.A:
			list := make(bson.A, 0, len(value))
			for _, member := range value {
				if part, ok := member.(bson.D); ok {
					member = withPath(part, oldPath, newPath)
				}
				list = append(list, member)
			}
			element.Value = list
		}
		changed = append(changed, element)
	}
	return changed
}

// PutAnnotation makes an annotation, or puts it in the place of the one with the same id.
func (c *CodeGraph) PutAnnotation(ctx context.Context, annotation NewAnnotation) error {
	key, err := filter(argument{"annotation_id", annotation.ID, name})
	if err != nil {
		return err
	}
	_, err = c.annotations.ReplaceOne(ctx, key, annotation, options.Replace().SetUpsert(true))
	return err
}

// DeleteAnnotation deletes an annotation; false if there was none.
func (c *CodeGraph) DeleteAnnotation(ctx context.Context, annotationID string) (bool, error) {
	key, err := filter(argument{"annotation_id", annotationID, name})
	if err != nil {
		return false, err
	}
	result, err := c.annotations.DeleteOne(ctx, key)
	return err == nil && result.DeletedCount > 0, err
}

// DeleteRepository deletes a repository with all its files and annotations.
func (c *CodeGraph) DeleteRepository(ctx context.Context, orgID, repo string) error {
	scope, err := filter(argument{"org_id", orgID, name}, argument{"repo", repo, name})
	if err != nil {
		return err
	}
	return outgraph.InTransaction(ctx, c.client, func(ctx context.Context) error {
		if _, err := c.files.DeleteMany(ctx, scope); err != nil {
			return err
		}
		if _, err := c.annotations.DeleteMany(ctx, scope); err != nil {
			return err
		}
		_, err := c.repositories.DeleteOne(ctx, bson.D{{Key: "org_id", Value: orgID}, {Key: "repo_name", Value: repo}})
		return err
	})
}

func fileKey(orgID, repo, path string) (bson.D, error) {
	return filter(argument{"org_id", orgID, name}, argument{"repo", repo, name}, argument{"file_path", path, filePath})
}
