package pages

// File is a picture of a page, in a file.
type File struct {
	Page    int    `json:"page"` // of which the first is 1
	Path    string `json:"path"`
	Wide    int    `json:"wide"` // pixels
	High    int    `json:"high"`
	Damaged bool   `json:"damaged,omitempty"` // a part of the page could not be read, and is white
}
