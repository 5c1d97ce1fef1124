package xmem

import (
	"context"
	"errors"
	"fmt"

	outgraph "outgraph.example/writers/go"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// CodeGraph is the code graph: repositories, their scanned files and the annotations. Each is a document with a natural
// key. Create it with [NewCodeGraph].
//
// An argument or a document that is invalid is refused with [outgraph.CodePayloadInvalid].
type CodeGraph struct {
	client                           *mongo.Client
	repositories, files, annotations *outgraph.Collection
}

// NewCodeGraph returns the code graph in a database.
//
//	code := xmem.NewCodeGraph(db)
func NewCodeGraph(db *mongo.Database, opts ...Option) *CodeGraph {
	return &CodeGraph{
		client:       db.Client(),
		repositories: track(db, Repository, opts),
		files:        track(db, File, opts),
		annotations:  track(db, Annotation, opts),
	}
}

// DeleteFile deletes a file with everything that its scan found. It returns false if there was none.
//
//	deleted, err := code.DeleteFile(ctx, "acme", "shop", "src/a.ts")
func (c *CodeGraph) DeleteFile(ctx context.Context, orgID, repo, path string) (bool, error) {
	key, err := fileKey(orgID, repo, path)
	if err != nil {
		return false, err
	}
	result, err := c.files.DeleteOne(ctx, key)
	return err == nil && result.DeletedCount > 0, err
}

// RenameFile renames a file and its references to itself. It replaces a file that has the new path. It returns false if
// there is no file to rename. References of other files and of annotations keep the old path until you scan or put them
// again.
//
//	renamed, err := code.RenameFile(ctx, "acme", "shop", "src/a.ts", "lib/a.ts")
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

// withPath returns the document of a file, or a part of it, with the new path in place of each old one.
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

// PutAnnotation creates an annotation, or replaces the one with the same id.
//
//	err := code.PutAnnotation(ctx, xmem.NewAnnotation{
//		ID: "n1", OrgID: "acme", Repo: "shop", Content: "slow", Target: xmem.OfFile("src/a.ts"),
//	})
func (c *CodeGraph) PutAnnotation(ctx context.Context, annotation NewAnnotation) error {
	key, err := filter(argument{"annotation_id", annotation.ID, name})
	if err != nil {
		return err
	}
	_, err = c.annotations.ReplaceOne(ctx, key, annotation, options.Replace().SetUpsert(true))
	return err
}

// DeleteAnnotation deletes an annotation. It returns false if there was none.
//
//	deleted, err := code.DeleteAnnotation(ctx, "n1")
func (c *CodeGraph) DeleteAnnotation(ctx context.Context, annotationID string) (bool, error) {
	key, err := filter(argument{"annotation_id", annotationID, name})
	if err != nil {
		return false, err
	}
	result, err := c.annotations.DeleteOne(ctx, key)
	return err == nil && result.DeletedCount > 0, err
}

// DeleteRepository deletes a repository with all its files and annotations.
//
//	err := code.DeleteRepository(ctx, "acme", "shop")
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
