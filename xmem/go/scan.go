package xmem

// ScannedFile is the result of scanning one file, without its repository. An empty field is absent.
type ScannedFile struct {
	FilePath    string `bson:"file_path"`
	Language    string `bson:"language,omitempty"`
	Summary     string `bson:"summary,omitempty"`
	SymbolCount *int   `bson:"symbol_count,omitempty"`
	TotalLines  *int   `bson:"total_lines,omitempty"`
	CommitSHA   string `bson:"commit_sha,omitempty"`
	// ContentHash is for XMem itself, and is not in the graph.
	ContentHash string   `bson:"content_hash,omitempty"`
	Symbols     []Symbol `bson:"symbols,omitempty"`
	// In these lists, From is a symbol of this file. To may be in any file of the repository.
	Calls      []Call      `bson:"calls,omitempty"`
	Imports    []Import    `bson:"imports,omitempty"`
	Inherits   []Reference `bson:"inherits,omitempty"`
	Implements []Reference `bson:"implements,omitempty"`
}

// Symbol is a symbol that a file declares.
type Symbol struct {
	// Name is the qualified name.
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

// Reference is a reference from a symbol of the file to a symbol of any file.
type Reference struct {
	From string     `bson:"from"`
	To   SymbolName `bson:"to"`
}

// SymbolName identifies a symbol of a repository.
type SymbolName struct {
	FilePath string `bson:"file_path"`
	Name     string `bson:"symbol_name"`
}

// Call is a reference with the known properties of its calls.
type Call struct {
	Reference `bson:",inline"`
	Count     *int  `bson:"call_count,omitempty"`
	IsDirect  *bool `bson:"is_direct,omitempty"`
}

// Import is an import of another file.
type Import struct {
	FilePath string `bson:"file_path"`
	Type     string `bson:"import_type,omitempty"`
}

// NewAnnotation is a note about a part of the code. An empty field is absent. CreatedAt and ResolvedAt are texts or
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

// Target is the subject of an annotation. Create it with [OfSymbol], [OfFile] or [OfDirectory].
type Target struct {
	Kind       string   `bson:"kind"`
	FilePath   string   `bson:"file_path,omitempty"`
	SymbolName string   `bson:"symbol_name,omitempty"`
	DirPath    string   `bson:"dir_path,omitempty"`
	Relevance  *float64 `bson:"relevance,omitempty"`
}

// OfSymbol returns a target that is a symbol of a file: xmem.OfSymbol("src/a.ts", "Cart").
func OfSymbol(filePath, symbolName string) Target {
	return Target{Kind: "symbol", FilePath: filePath, SymbolName: symbolName}
}

// OfFile returns a target that is a file: xmem.OfFile("src/a.ts").
func OfFile(filePath string) Target { return Target{Kind: "file", FilePath: filePath} }

// OfDirectory returns a target that is a directory: xmem.OfDirectory("src/"), or "/" for the root.
func OfDirectory(dirPath string) Target { return Target{Kind: "directory", DirPath: dirPath} }
