package store

import (
	"context"
	"path/filepath"
)

// Documents keeps public documents of providers between processes, in files. Losing one costs a request.
type Documents struct{ files disk }

// documentsFolder is a folder in that for tokens.
const documentsFolder = "documents"

// OpenDocuments makes a cache in the folder for tokens. It is made when first needed.
func OpenDocuments(directory string) *Documents {
	return &Documents{disk{directory: filepath.Join(directory, documentsFolder), lossy: true}}
}

// Load returns a document, or nil.
func (d *Documents) Load(name string) []byte {
	text, err := d.files.get(context.Background(), name)
	if err != nil {
		return nil
	}
	return text
}

// Save keeps a document, if that can be done.
func (d *Documents) Save(name string, text []byte) {
	_ = d.files.set(context.Background(), name, text)
}
