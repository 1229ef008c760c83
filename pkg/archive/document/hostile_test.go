package document_test

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// What a file of up to 64 MiB may cost, whatever is in it.
const (
	mostFile   = 64 << 20
	mostCPU    = 2 * time.Second
	mostMemory = 200 << 20
)

// TestBounded looks at files that are built to waste time or memory, each in a
// process of its own, which is built without the race detector.
func TestBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a program, and files of many megabytes")
	}
	cpu := mostCPU
	if os.Getenv("CI") != "" { // on machines that others share
		cpu *= 3
	}
	dir := t.TempDir()
	program := filepath.Join(dir, "inspect")
	if runtime.GOOS == "windows" {
		program += ".exe"
	}
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-race=false", "-o", program, "./testdata/inspect").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for name, make := range hostile {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(dir, "document")
			content := make()
			if len(content) > mostFile {
				t.Fatalf("%d bytes are more than the promise is about", len(content))
			}
			if err := os.WriteFile(file, content, 0o600); err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), program, file)
			cmd.Stderr = os.Stderr
			out, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			took := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
			said, rest, _ := strings.Cut(string(out), " ")
			memory, err := strconv.ParseInt(said, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d MiB: %v, %d MiB; %s", len(content)>>20, took, memory>>20, strings.TrimSpace(rest))
			if took > cpu || memory > mostMemory {
				t.Errorf("%v and %d bytes of memory; promised are %v and %d", took, memory, cpu, int64(mostMemory))
			}
		})
	}
}

// hostile are the files, by what is in them.
var hostile = map[string]func() []byte{
	"a chain of tables of zeros": func() []byte {
		zeros := deflated(60 << 20)
		b := []byte("%PDF-1.5\n")
		at := 0
		for len(b) < 24<<20 {
			prev := ""
			if at > 0 {
				prev = fmt.Sprintf("/Prev %d", at)
			}
			at = len(b)
			b = fmt.Appendf(b, "9 0 obj\n<</Type/XRef/Size 9000000/W[1 4 1]/Root 1 0 R%s/Filter/FlateDecode/Length %d>>\nstream\n%s\nendstream\nendobj\n", prev, len(zeros), zeros)
		}
		return fmt.Appendf(b, "startxref\n%d\n%%%%EOF\n", at)
	},
	"an object stream of zeros": func() []byte {
		return streams([]string{"/Type/ObjStm/N 1000000/First 60000000"}, [][]byte{deflated(60 << 20)})
	},
	"an object stream of small words": func() []byte {
		words := bytes.Repeat([]byte("1 0 "), 5<<20)
		return streams([]string{fmt.Sprintf("/Type/ObjStm/N %d/First %d", len(words)/4, len(words))}, [][]byte{packedBytes(words)})
	},
	"object streams by the thousand": func() []byte {
		entries, contents := make([]string, 20_000), make([][]byte, 20_000)
		for i := range entries {
			entries[i] = "/Type/ObjStm/N 1/First 8"
			contents[i] = stored(fmt.Appendf(nil, "%d 0 <</Type/Page>>", 30_000+i))
		}
		return streams(entries, contents)
	},
	"pages full of numbers":      func() []byte { return pages(20_000, "/A["+strings.Repeat("0 ", 1400)+"]") },
	"pages full of dictionaries": func() []byte { return pages(20_000, "/A["+strings.Repeat("<</A 1>>", 350)+"]") },
	"large pages of dictionaries": func() []byte {
		return pages(60, "/A["+strings.Repeat("<</A 1>>", 115_000)+"]")
	},
	"large pages of lists":    func() []byte { return pages(60, "/A["+strings.Repeat("[]", 500_000)+"]") },
	"large pages of names":    func() []byte { return pages(60, "/A["+strings.Repeat("/abcdefg", 125_000)+"]") },
	"large pages of comments": func() []byte { return pages(60, "/A["+strings.Repeat("%\n", 500_000)+"]") },
	"deep pages": func() []byte {
		return pages(60, strings.Repeat("/A<<", 60)+strings.Repeat("/B 1", 200_000)+strings.Repeat(">>", 60))
	},
	"strings that do not end": func() []byte { return pages(60, "/A("+strings.Repeat("(", 1<<20)) },
	"a table in many parts": func() []byte {
		b := pages(19_000, "")
		at := bytes.LastIndex(b, []byte("xref\n0 ")) + len("xref\n")
		return slices.Concat(b[:at], bytes.Repeat([]byte("90000 1\n0000000000 65535 f \n"), 4000), b[at:])
	},
	"pages by the thousand":     func() []byte { return directories(20_000, 10) },
	"pages of very many fields": func() []byte { return directories(1200, 4096) },
	"pages of many strips":      func() []byte { return strips(1000, 15<<20) },
}

// deflated is n zeros as FlateDecode packs them.
func deflated(n int) []byte { return packedBytes(make([]byte, n)) }

// stored is b as FlateDecode may leave it.
func stored(b []byte) []byte {
	n := uint16(len(b))
	return append([]byte{0x78, 1, 1, byte(n), byte(n >> 8), byte(^n), byte(^n >> 8)}, b...)
}

func packedBytes(b []byte) []byte {
	var z bytes.Buffer
	w, _ := zlib.NewWriterLevel(&z, flate.BestSpeed)
	_, _ = w.Write(b)
	_ = w.Close()
	return z.Bytes()
}

// pages is a PDF file of n pages with something more in each.
func pages(n int, more string) []byte {
	objects := []string{onePage[0], ""}
	var kids strings.Builder
	for i := range n {
		fmt.Fprintf(&kids, "%d 0 R ", i+3)
		objects = append(objects, "<</Type/Page"+more+">>")
	}
	objects[1] = "<</Type/Pages/Kids[" + kids.String() + "]>>"
	return tabled("", objects...)
}

// streams is a PDF file whose root and pages are in streams of these entries and
// contents, one object each, by a table that is a stream.
func streams(entries []string, contents [][]byte) []byte {
	b := []byte("%PDF-1.5\n")
	var kids strings.Builder
	rows := make([]byte, 7*70_000)
	row := func(num, kind, at, index int) {
		r := rows[7*num:]
		r[0] = byte(kind)
		binary.BigEndian.PutUint32(r[1:], uint32(at))
		binary.BigEndian.PutUint16(r[5:], uint16(index))
	}
	for i, c := range contents {
		row(10+i, 1, len(b), 0)
		row(30_000+i, 2, 10+i, 0)
		fmt.Fprintf(&kids, "%d 0 R ", 30_000+i)
		b = fmt.Appendf(b, "%d 0 obj\n<<%s/Filter/FlateDecode/Length %d>>\nstream\n%s\nendstream\nendobj\n", 10+i, entries[i], len(c), c)
	}
	row(1, 1, len(b), 0)
	b = fmt.Appendf(b, "1 0 obj\n%s\nendobj\n", onePage[0])
	row(2, 1, len(b), 0)
	b = fmt.Appendf(b, "2 0 obj\n<</Type/Pages/Kids[%s]>>\nendobj\n", kids.String())
	at := len(b)
	b = fmt.Appendf(b, "9 0 obj\n<</Type/XRef/Size 70000/W[1 4 2]/Root 1 0 R/Length %d>>\nstream\n%s\nendstream\nendobj\n", len(rows), rows)
	return fmt.Appendf(b, "startxref\n%d\n%%%%EOF\n", at)
}

// directories is a TIFF file of n pages of so many fields each.
func directories(n, fields int) []byte {
	b := []byte("II*\x00\x08\x00\x00\x00")
	for i := range n {
		b = binary.LittleEndian.AppendUint16(b, uint16(fields))
		for f := range fields {
			b = entry(b, uint16(300+f), 4, 1, 0)
		}
		next := uint32(len(b) + 4)
		if i == n-1 {
			next = 0
		}
		b = binary.LittleEndian.AppendUint32(b, next)
	}
	return b
}

func entry(b []byte, tag, kind uint16, count, value uint32) []byte {
	b = binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint16(b, tag), kind)
	return binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(b, count), value)
}

// strips is a TIFF file of n pages which share a list of strips.
func strips(n, count int) []byte {
	b := []byte("II*\x00")
	b = binary.LittleEndian.AppendUint32(b, uint32(8+2*count))
	b = append(b, make([]byte, 2*count)...)
	for i := range n {
		b = binary.LittleEndian.AppendUint16(b, 2)
		b = entry(b, 273, 3, uint32(count), 8)
		b = entry(b, 279, 3, uint32(count), 8)
		next := uint32(len(b) + 4)
		if i == n-1 {
			next = 0
		}
		b = binary.LittleEndian.AppendUint32(b, next)
	}
	return b
}
