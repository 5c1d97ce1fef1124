package xmem

// ScannedFile is what a scan found in one file, without the repository that it is in. What is empty is absent.
type ScannedFile struct {
	FilePath    string `bson:"file_path"`
	Language    string `bson:"language,omitempty"`
	Summary     string `bson:"summary,omitempty"`
	SymbolCount *int   `bson:"symbol_count,omitempty"`
	TotalLines  *int   `bson:"total_lines,omitempty"`
	CommitSHA   string `bson:"commit_sha,omitempty"`
	// ContentHash is XMem's own, and does not stand in the graph.
	ContentHash string   `bson:"content_hash,omitempty"`
	Symbols     []Symbol `bson:"symbols,omitempty"`
	// The From of these is a symbol of this file; To may be in any file of the repository.
	Calls      []Call      `bson:"calls,omitempty"`
	Imports    []Import    `bson:"imports,omitempty"`
	Inherits   []Reference `bson:"inherits,omitempty"`
	Implements []Reference `bson:"implements,omitempty"`
}

// Symbol is one that its file declares.
type Symbol struct {
	// Name is the qualified one.
	Name             string `bson:"symbol_name"`
	Type             string `bson:"symbol_type,omitempty"`
	Summary          string `bson:"summary,omitempty"`
	Signature        string `bson:"signature,omitempty"`
	Docstring        string `bson:"docstring,omitempty"`
	StartLine        *int   `bson:"start_line,omitempty"`
	EndLine          *int   `bson:"end_line,omitempty"`
	LineCount        *int   `bson:"line_count,omitempty"`
	ParentClass      string `bson:"parent_class,omitempty"`
	IsPublic         *bool  `bson:"is_public,omitempty"`
	IsEntrypoint     *bool  `bson:"is_entrypoint,omitempty"`
	ComplexityBucket string `bson:"complexity_bucket,omitempty"`
	Language         string `bson:"language,omitempty"`
	ContentHash      string `bson:"content_hash,omitempty"`
	SignatureHash    string `bson:"signature_hash,omitempty"`
}

// Reference leads from a symbol of the file to one of any file.
type Reference struct {
	From string     `bson:"from"`
	To   SymbolName `bson:"to"`
}

// SymbolName names a symbol of a repository.
type SymbolName struct {
	FilePath string `bson:"file_path"`
	Name     string `bson:"symbol_name"`
}

// Call is a reference with what is known of the calls.
type Call struct {
	Reference `bson:",inline"`
	Count     *int  `bson:"call_count,omitempty"`
	IsDirect  *bool `bson:"is_direct,omitempty"`
}

// Import is of another file.
type Import struct {
	FilePath string `bson:"file_path"`
	Type     string `bson:"import_type,omitempty"`
}

// NewAnnotation is what somebody notes about a part of the code. What is empty is absent; the moments are texts or
// dates.
type NewAnnotation struct {
	ID         string `bson:"annotation_id"`
	OrgID      string `bson:"org_id"`
	Repo       string `bson:"repo"`
	Content    string `bson:"content,omitempty"`
	Type       string `bson:"annotation_type,omitempty"`
	Severity   string `bson:"severity,omitempty"`
	AuthorID   string `bson:"author_id,omitempty"`
	AuthorName string `bson:"author_name,omitempty"`
	Status     string `bson:"status,omitempty"`
	CreatedAt  any    `bson:"created_at,omitempty"`
	ResolvedAt any    `bson:"resolved_at,omitempty"`
	ResolvedBy string `bson:"resolved_by,omitempty"`
	Target     Target `bson:"target"`
}

// Target is what an annotation is about: made by [OfSymbol], [OfFile] or [OfDirectory].
type Target struct {
	Kind       string   `bson:"kind"`
	FilePath   string   `bson:"file_path,omitempty"`
	SymbolName string   `bson:"symbol_name,omitempty"`
	DirPath    string   `bson:"dir_path,omitempty"`
	Relevance  *float64 `bson:"relevance,omitempty"`
}

// OfSymbol is about a symbol of a file.
func OfSymbol(filePath, symbolName string) Target {
	return Target{Kind: "symbol", FilePath: filePath, SymbolName: symbolName}
}

// OfFile is about a file.
func OfFile(filePath string) Target { return Target{Kind: "file", FilePath: filePath} }

// OfDirectory is about a directory: "src/", or "/" for the root.
func OfDirectory(dirPath string) Target { return Target{Kind: "directory", DirPath: dirPath} }
