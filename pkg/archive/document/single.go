package document

import (
	"errors"
	"io"
	"math"
)

// PDFPages is a PDF file whose pages are looked at one by one. What each costs to read
// is limited as it is for [Inspect].
type PDFPages struct {
	pdf   *pdfFile
	pages []ref
}

// OpenPDF finds the pages of the first size bytes of r. It fails as [Inspect] does, and
// where Inspect would tell that the pages cannot be counted.
func OpenPDF(r io.ReaderAt, size int64) (*PDFPages, error) {
	f := &file{r: r, size: size, left: maxRead}
	head, err := f.upTo(0, headSize)
	if err != nil {
		return nil, err
	}
	if kind, _ := sniff(head); kind != PDF {
		return nil, ErrNotDocument
	}
	pdf, pages, err := f.pdf(head)
	if err != nil {
		return nil, err
	}
	return &PDFPages{pdf, pages}, nil
}

// Len is the number of pages.
func (p *PDFPages) Len() int { return len(p.pages) }

// Scan is an image that covers a page, as scanners and fax machines make them (ISO
// 32000-1, 8.9.5).
type Scan struct {
	Wide, High         int64   // pixels
	PageWide, PageHigh float64 // points, of which an inch has 72
	Bits               int64   // of each color: 1 or 8
	Colors             int     // 1: gray, 0 is black; 3: red, green, blue
	Inverted           bool    // the opposite of that

	// Filter is how Data is packed: CCITTFaxDecode, DCTDecode, FlateDecode or nothing.
	Filter string
	Data   []byte

	// Fax is what a fax's filter is told (7.4.6).
	Fax struct {
		K         int64 // below 0: Group 4; 0: Group 3 of one dimension; above: of two
		Columns   int64
		BlackIs1  bool
		ByteAlign bool
	}
}

// errNoScan: a page is something other than one plain image.
var errNoScan = errors.New("the page is not one image")

// Scan is the image that page n consists of, of which the first is 0. It is none when
// anything at all about the page is otherwise: a second image, text, a part outside of
// the page, a comment on it, a color that is no plain one.
func (p *PDFPages) Scan(n int) (_ Scan, isOne bool, err error) {
	if p.pdf.encrypted {
		return Scan{}, false, nil
	}
	fresh := *p.pdf
	fresh.file = &file{r: p.pdf.r, size: p.pdf.size, left: maxRead}
	fresh.streams, fresh.opened, fresh.unpacked, fresh.lexed = map[int64]objectStream{}, 0, 0, 0
	s, err := fresh.scan(p.pages[n])
	if errors.Is(err, errNoScan) || errors.Is(err, errOdd) || errors.Is(err, errShort) {
		return Scan{}, false, nil
	}
	return s, err == nil, err
}

func (p *pdfFile) scan(page ref) (s Scan, err error) {
	d, err := p.dictionary(page)
	if err != nil {
		return s, err
	}
	for _, key := range []string{"Annots", "UserUnit", "Group"} {
		if d[key] != nil {
			return s, errNoScan
		}
	}
	box, err := p.box(d)
	if err != nil {
		return s, err
	}
	s.PageWide, s.PageHigh = box[2]-box[0], box[3]-box[1]
	content, err := p.content(d["Contents"])
	if err != nil {
		return s, err
	}
	drawn, err := drawnOver(content, box)
	if err != nil {
		return s, err
	}
	resources, err := p.inherited(d, "Resources")
	if err != nil {
		return s, err
	}
	image := resources
	for _, key := range []string{"XObject", drawn} {
		within, err := p.dictionary(image)
		if err != nil {
			return s, err
		}
		image = within[key]
	}
	return s, p.image(image, &s)
}

// inherited is a value of a page, or of what it is below (7.7.3.4).
func (p *pdfFile) inherited(d dict, key string) (any, error) {
	for range 64 {
		if v := d[key]; v != nil {
			return p.resolve(v)
		}
		if d["Parent"] == nil {
			return nil, nil
		}
		var err error
		if d, err = p.dictionary(d["Parent"]); err != nil {
			return nil, err
		}
	}
	return nil, errOdd
}

// box is the page: left, lower, right and upper. One that is turned, or cut, is no scan.
func (p *pdfFile) box(d dict) (box [4]float64, err error) {
	if turned, err := p.inherited(d, "Rotate"); err != nil || turned != nil && turned != int64(0) {
		return box, errors.Join(errNoScan, err)
	}
	media, err := p.inherited(d, "MediaBox")
	if err != nil {
		return box, err
	}
	if box, err = rectangle(media); err != nil {
		return box, err
	}
	crop, err := p.inherited(d, "CropBox")
	if err != nil || crop == nil {
		return box, err
	}
	if cut, err := rectangle(crop); err != nil || cut != box {
		return box, errNoScan
	}
	return box, nil
}

func rectangle(v any) (box [4]float64, err error) {
	all, _ := v.(array)
	if len(all) != 4 {
		return box, errNoScan
	}
	for i, v := range all {
		var ok bool
		if box[i], ok = number(v); !ok {
			return box, errNoScan
		}
	}
	if box[2] <= box[0] || box[3] <= box[1] {
		return box, errNoScan
	}
	return box, nil
}

func number(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

// content reads what is drawn on a page.
func (p *pdfFile) content(v any) ([]byte, error) {
	r, ok := single(v).(ref)
	if !ok {
		return nil, errNoScan
	}
	at, err := p.locate(r.num)
	if err != nil {
		return nil, err
	}
	if at.stream != 0 || at.gen != r.gen {
		return nil, errOdd
	}
	_, data, err := p.stream(at.at)
	return data, err
}

// drawnOver is the name of the image that a page draws over all of itself, and nothing
// else: saving and restoring, one matrix after another, and the image.
func drawnOver(content []byte, box [4]float64) (string, error) {
	const most = 4096 // bytes of such content
	if len(content) > most {
		return "", errNoScan
	}
	l := lexer{b: append(content, ' ')}
	wide, high, x, y := 1.0, 1.0, 0.0, 0.0
	drawn, operands := "", []any{}
	for l.skip(); len(l.b) > 0; l.skip() {
		if c := l.b[0]; c >= 'A' && c <= 'z' && c != '[' {
			operator, err := l.word()
			if err != nil {
				return "", err
			}
			switch {
			case operator == "q" && drawn == "" && len(operands) == 0:
			case operator == "Q" && drawn != "" && len(operands) == 0:
			case operator == "cm" && drawn == "":
				m, err := matrix(operands)
				if err != nil {
					return "", err
				}
				wide, high, x, y = m[0]*wide, m[3]*high, m[4]*wide+x, m[5]*high+y
			case operator == "Do" && len(operands) == 1 && drawn == "":
				n, _ := operands[0].(name)
				drawn = string(n)
			default:
				return "", errNoScan
			}
			operands = operands[:0]
			continue
		}
		v, err := l.object()
		if err != nil {
			return "", err
		}
		operands = append(operands, v)
	}
	near := func(a, b float64) bool { return math.Abs(a-b) < 0.5 } // half a point, less than two pixels
	if drawn == "" || len(operands) > 0 || !near(x, box[0]) || !near(y, box[1]) || !near(x+wide, box[2]) || !near(y+high, box[3]) {
		return "", errNoScan
	}
	return drawn, nil
}

// matrix is one that neither turns nor slants.
func matrix(operands []any) (m [6]float64, err error) {
	if len(operands) != len(m) {
		return m, errNoScan
	}
	for i, v := range operands {
		var ok bool
		if m[i], ok = number(v); !ok {
			return m, errNoScan
		}
	}
	if m[1] != 0 || m[2] != 0 || m[0] <= 0 || m[3] <= 0 {
		return m, errNoScan
	}
	return m, nil
}

// image reads the image that v refers to.
func (p *pdfFile) image(v any, s *Scan) error {
	r, ok := v.(ref)
	if !ok {
		return errNoScan
	}
	at, err := p.locate(r.num)
	if err != nil {
		return err
	}
	if at.stream != 0 || at.gen != r.gen {
		return errOdd
	}
	d, from, err := p.streamHead(at.at)
	if err != nil {
		return err
	}
	if d["Subtype"] != name("Image") {
		return errNoScan
	}
	for _, key := range []string{"SMask", "Mask", "OC", "SMaskInData"} {
		if d[key] != nil {
			return errNoScan
		}
	}
	if d["ImageMask"] == true {
		return errNoScan
	}
	if err := s.describe(d); err != nil {
		return err
	}
	n, err := p.length(d, from)
	if err != nil {
		return err
	}
	s.Data, err = p.exactly(from, n)
	return err
}

// describe reads the dictionary of an image, whose values are plain ones.
func (s *Scan) describe(d dict) error {
	var ok1, ok2, ok3 bool
	s.Wide, ok1 = d["Width"].(int64)
	s.High, ok2 = d["Height"].(int64)
	s.Bits, ok3 = d["BitsPerComponent"].(int64)
	filter, _ := single(d["Filter"]).(name)
	parms, isDict := single(d["DecodeParms"]).(dict)
	if s.Filter = string(filter); !ok1 || !ok2 || !ok3 || d["Filter"] != nil && filter == "" || d["DecodeParms"] != nil && !isDict {
		return errNoScan
	}
	switch single(d["ColorSpace"]) {
	case name("DeviceGray"):
		s.Colors = 1
	case name("DeviceRGB"):
		s.Colors = 3
	default:
		return errNoScan
	}
	if decode, _ := d["Decode"].(array); len(decode) == 2 && s.Colors == 1 && decode[0] == int64(1) && decode[1] == int64(0) {
		s.Inverted = true
	} else if d["Decode"] != nil && (len(decode) != 2 || decode[0] != int64(0) || decode[1] != int64(1)) {
		return errNoScan
	}
	if parms["Predictor"] != nil && parms["Predictor"] != int64(1) {
		return errNoScan
	}
	s.Fax.Columns = 1728
	for key, to := range map[string]any{"K": &s.Fax.K, "Columns": &s.Fax.Columns, "BlackIs1": &s.Fax.BlackIs1, "EncodedByteAlign": &s.Fax.ByteAlign} {
		if !set(parms[key], to) {
			return errNoScan
		}
	}
	return nil
}

// set puts a value where one of its type goes, if there is one.
func set(v any, to any) bool {
	if v == nil {
		return true
	}
	var ok bool
	switch to := to.(type) {
	case *int64:
		*to, ok = v.(int64)
	case *bool:
		*to, ok = v.(bool)
	}
	return ok
}
