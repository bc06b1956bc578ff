package help

import (
	"io/fs"
	"path"
)

// Shelf is a folder of guides.
type Shelf struct {
	Name  string // before the ids of its guides: "build" makes build/siren, at /help/build/siren. The first shelf has none
	Root  string // where in the tree Files lie, so that links between files lead from shelf to shelf
	Files fs.FS
	IDs   []string                     // as /help shows them
	File  func(id, lang string) string // in which file of Files a guide lies
}

// Own are the guides of this folder.
func Own() Shelf {
	return Shelf{Root: "server/help", Files: Files, IDs: Order(), File: func(id, lang string) string { return "guides/" + id + "." + lang + ".md" }}
}

// id is a guide's within the library.
func (s Shelf) id(id string) string { return path.Join(s.Name, id) }

// places returns by the path of each file in the tree, in a language, which guide it is.
func places(lang string, shelves []Shelf) map[string]string {
	out := map[string]string{}
	for _, s := range shelves {
		for _, id := range s.IDs {
			out[path.Join(s.Root, s.File(id, lang))] = s.id(id)
		}
	}
	return out
}
