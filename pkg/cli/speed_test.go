package cli_test

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/faxctl/faxctl/pkg/sandbox"
	"github.com/faxctl/faxctl/pkg/sandbox/paper"
)

// The speed that is promised, measured as a person meets it: faxctl as a
// process of its own, against a sandbox over loopback that takes as long for
// an answer as a provider does. Where a promise is a ratio, the other side is
// measured in the same run. Each benchmark reports what it got and what was
// promised.
//
//	go test ./pkg/cli -run - -bench Speed -benchtime 3x
//
// Other work on the machine slows faxctl down more than waiting for a server:
// look for a quiet moment.

// promise reports a measured value with its bound, and says so when it is
// beyond that.
func promise(b *testing.B, got float64, unit string, most float64) {
	b.Helper()
	b.ReportMetric(got, unit)
	b.ReportMetric(most, unit+"-allowed")
	if got > most {
		b.Logf("NOT AS PROMISED: %.2f %s instead of %.2f", got, unit, most)
	}
}

// shipped puts faxctl as it is shipped first in PATH, in place of the test
// program that goes by its name elsewhere and is a third larger.
func shipped(b *testing.B) {
	b.Helper()
	dir := b.TempDir()
	name := filepath.Join(dir, "faxctl")
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	build := exec.CommandContext(b.Context(), "go", "build", "-trimpath", "-ldflags=-s -w", "-o", name, "../../cmd/faxctl")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	b.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
}

func megabytes(n int64) float64 { return float64(n) / (1 << 20) }

// BenchmarkSpeedListAll lists 100,000 faxes at 40 ms a page of 1,000. The
// other side reads page after page and looks for nothing but the link to the
// next.
func BenchmarkSpeedListAll(b *testing.B) {
	shipped(b)
	const faxes, delay = 100_000, 40 * time.Millisecond
	c := newCloud(b, sandbox.Options{Latency: delay}, sandbox.SeedOptions{Faxes: faxes, Numbers: 20})
	var ours, theirs time.Duration
	var memory, requests int64
	for b.Loop() {
		bare := c.run(b, nil, "bare", "pages", c.url+"/v1/Faxes?PageSize=1000")
		before := c.requests.Load()
		u := c.run(b, nil, "faxctl", "faxes", "list", "--all", "-o", "jsonl")
		requests = c.requests.Load() - before
		ours, theirs, memory = ours+u.time, theirs+bare.time, max(memory, u.memory)
		if u.lines() != faxes || bare.lines() != faxes/1000 {
			b.Fatalf("%d faxes listed, %d pages read", u.lines(), bare.lines())
		}
	}
	b.ReportMetric(theirs.Seconds()/float64(b.N), "s-one-after-another")
	b.ReportMetric(float64(requests), "requests")
	b.ReportMetric(theirs.Seconds()/ours.Seconds(), "times-faster")
	promise(b, ours.Seconds()/theirs.Seconds(), "of-one-after-another", 1.0/5)
	promise(b, megabytes(memory), "MB", 64)
}

// BenchmarkSpeedListScreen lists what fits a screen, of 100,000 faxes.
func BenchmarkSpeedListScreen(b *testing.B) {
	shipped(b)
	c := newCloud(b, sandbox.Options{Latency: 40 * time.Millisecond}, sandbox.SeedOptions{Faxes: 100_000})
	for b.Loop() {
		before := c.requests.Load()
		u := c.run(b, nil, "faxctl", "faxes", "list", "--limit", "20", "-o", "jsonl")
		if n := u.lines(); n != 20 {
			b.Fatalf("%d faxes listed", n)
		}
		promise(b, float64(c.requests.Load()-before), "requests", 1)
	}
}

// BenchmarkSpeedDelete deletes 10,000 faxes at 40 ms, at a provider that takes
// twenty calls at once and answers 429 to more. The bound is that of somebody
// who knows of the twenty.
func BenchmarkSpeedDelete(b *testing.B) {
	shipped(b)
	const faxes, takes, delay = 10_000, 20, 40 * time.Millisecond
	var took time.Duration
	for b.Loop() {
		b.StopTimer()
		c := newCloud(b, sandbox.Options{Latency: delay, MaxConcurrent: takes}, sandbox.SeedOptions{Faxes: faxes})
		ids := c.run(b, nil, "faxctl", "faxes", "list", "--all", "-o", "id").out
		b.StartTimer()
		took += c.run(b, bytes.NewReader(ids), "faxctl", "faxes", "delete", "-", "--yes").time
		b.StopTimer()
		if left := c.run(b, nil, "faxctl", "faxes", "list", "--all", "-o", "id").lines(); left != 0 {
			b.Fatalf("%d faxes are left", left)
		}
		b.StartTimer()
	}
	promise(b, took.Seconds()/float64(b.N)/(faxes*delay/takes).Seconds(), "times-best", 1.2)
}

// BenchmarkSpeedNumbersList lists 10,000 numbers at 100 ms a page, which takes no
// more memory than a tenth of them. The other side reads page after page.
func BenchmarkSpeedNumbersList(b *testing.B) {
	shipped(b)
	const numbers, delay = 10_000, 100 * time.Millisecond
	many := newCloud(b, sandbox.Options{Latency: delay}, sandbox.SeedOptions{Numbers: numbers})
	few := newCloud(b, sandbox.Options{Latency: delay}, sandbox.SeedOptions{Numbers: numbers / 10})
	list := func(c *cloud, want int) result {
		u := c.run(b, nil, "faxctl", "numbers", "list", "--all", "-o", "jsonl")
		if n := u.lines(); n != want {
			b.Fatalf("%d numbers listed", n)
		}
		return u
	}
	first := many.url + "/2010-04-01/Accounts/" + many.Account().Account + "/IncomingPhoneNumbers.json?PageSize=1000"
	var ours, theirs time.Duration
	var tenth, all int64
	for b.Loop() {
		bare := many.run(b, nil, "bare", "pages", first)
		if n := bare.lines(); n != numbers/1000 {
			b.Fatalf("%d pages read", n)
		}
		u := list(many, numbers)
		ours, theirs = ours+u.time, theirs+bare.time
		tenth, all = max(tenth, list(few, numbers/10).memory), max(all, u.memory)
	}
	b.ReportMetric(theirs.Seconds()/float64(b.N), "s-bare")
	promise(b, ours.Seconds()/theirs.Seconds(), "times-bare", 1.2)
	b.ReportMetric(megabytes(all), "MB")
	promise(b, float64(all)/float64(tenth), "of-a-tenth", 1.25)
}

// BenchmarkSpeedNumbersSearch looks in six area codes, which takes about as
// long as one question: most of it is waiting.
func BenchmarkSpeedNumbersSearch(b *testing.B) {
	shipped(b)
	const delay = 400 * time.Millisecond
	c := newCloud(b, sandbox.Options{Latency: delay}, sandbox.SeedOptions{})
	var took time.Duration
	for b.Loop() {
		u := c.run(b, nil, "faxctl", "numbers", "search", "--fax", "--area-code", "212,312,404,415,503,617", "--limit", "60", "-o", "id")
		if n := u.lines(); n != 60 {
			b.Fatalf("%d numbers found", n)
		}
		took += u.time
	}
	promise(b, took.Seconds()/float64(b.N)/delay.Seconds(), "times-one-request", 1.5)
}

// BenchmarkSpeedNumbersSearchAll looks for all there is in forty area codes at
// 100 ms, eight questions at a time. The bound is that of somebody who never lets
// one of the eight wait.
func BenchmarkSpeedNumbersSearchAll(b *testing.B) {
	shipped(b)
	const codes, jobs, delay = 40, 8, 100 * time.Millisecond
	c := newCloud(b, sandbox.Options{Latency: delay}, sandbox.SeedOptions{})
	var list []string
	for code := range codes {
		list = append(list, strconv.Itoa(201+code*19)) // 201, 220 … 942: sold or not
	}
	var took time.Duration
	before := c.requests.Load()
	for b.Loop() {
		u := c.run(b, nil, "faxctl", "numbers", "search", "--fax", "--area-code", strings.Join(list, ","), "--all", "-o", "id")
		if n := u.lines(); n == 0 {
			b.Fatal("no numbers found")
		}
		took += u.time
	}
	requests := c.requests.Load() - before
	b.ReportMetric(float64(requests)/float64(b.N), "requests")
	promise(b, took.Seconds()/(float64(requests)/jobs*delay.Seconds()), "times-best", 1.2)
}

// documents is 5,000 faxes with a document of 60 kB, 20 ms away, and some
// without.
func documents(b *testing.B) (c *cloud, links []byte) {
	b.Helper()
	const want, pages, size = 5000, 3, 60_000
	var doc bytes.Buffer
	if err := paper.Write(&doc, paper.PDF, paper.Sheet{Pages: pages, Bytes: size}); err != nil {
		b.Fatal(err)
	}
	if n := doc.Len(); n < size*95/100 || n > size*105/100 {
		b.Fatalf("the document has %d bytes", n)
	}
	c = newCloud(b, sandbox.Options{Latency: 20 * time.Millisecond}, sandbox.SeedOptions{Faxes: want * 107 / 100, Document: doc.Bytes(), Pages: pages})
	for _, page := range c.pages(b) {
		gjson.GetBytes(page, "faxes.#.media_url").ForEach(func(_, link gjson.Result) bool {
			if link.Str != "" {
				links = append(links, link.Str+"\n"...)
			}
			return true
		})
	}
	if n := bytes.Count(links, []byte("\n")); n < want || n > want*102/100 {
		b.Fatalf("there are %d documents", n)
	}
	return c, links
}

// BenchmarkSpeedDownload downloads 5,000 documents, 16 at a time. The other
// side makes the same requests and throws away what comes.
func BenchmarkSpeedDownload(b *testing.B) {
	keeping(b, 1.25, func(dir string) []string {
		return []string{"faxes", "download", "--since", "10000d", "-d", dir, "-j", "16", "-o", "id"}
	})
}

// BenchmarkSpeedArchive archives the same documents.
func BenchmarkSpeedArchive(b *testing.B) {
	keeping(b, 1.6, func(dir string) []string { return []string{"faxes", "archive", "--to", dir, "-j", "16"} })
}

func keeping(b *testing.B, most float64, args func(dir string) []string) {
	b.Helper()
	shipped(b)
	c, links := documents(b)
	var ours, theirs time.Duration
	for b.Loop() {
		theirs += c.run(b, bytes.NewReader(links), "bare", "get", "16").time
		dir := filepath.Join(b.TempDir(), "kept")
		ours += c.run(b, nil, "faxctl", args(dir)...).time
		found := 0
		err := filepath.WalkDir(dir, func(name string, _ fs.DirEntry, err error) error {
			if filepath.Ext(name) == ".pdf" {
				found++
			}
			return err
		})
		if want := bytes.Count(links, []byte("\n")); err != nil || found != want {
			b.Fatalf("%d documents of %d: %v", found, want, err)
		}
	}
	b.ReportMetric(theirs.Seconds()/float64(b.N), "s-bare")
	promise(b, ours.Seconds()/theirs.Seconds(), "times-bare", most)
}

// bare is the program that faxctl is measured against: HTTP and nothing else.
//
//	bare pages URL       page after page, a line each
//	bare get JOBS < URLS each document, side by side, into nothing
func bare() {
	var err error
	switch args := os.Args[1:]; {
	case len(args) == 2 && args[0] == "pages":
		err = barePages(args[1], os.Getenv("TWILIO_ACCOUNT_SID"), os.Getenv("TWILIO_AUTH_TOKEN"), func(page []byte) { fmt.Println(len(page)) })
	case len(args) == 2 && args[0] == "get":
		err = bareGet(args[1])
	default:
		err = fmt.Errorf("bare %q", args)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func barePages(next, user, password string, each func([]byte)) error {
	for next != "" {
		req, err := http.NewRequest(http.MethodGet, next, nil)
		if err != nil {
			return err
		}
		req.SetBasicAuth(user, password)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		page, err := io.ReadAll(res.Body)
		if err != nil {
			return err
		}
		if err := res.Body.Close(); err != nil {
			return err
		}
		if res.StatusCode != http.StatusOK {
			return fmt.Errorf("%s", res.Status)
		}
		each(page)
		next = gjson.GetBytes(page, "meta.next_page_url").Str
		if path := gjson.GetBytes(page, "next_page_uri").Str; path != "" {
			next = "http://" + req.Host + path
		}
	}
	return nil
}

func bareGet(jobs string) error {
	n, err := strconv.Atoi(jobs)
	if err != nil {
		return err
	}
	all, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: n}}
	urls := make(chan string)
	failed := make(chan error, n)
	var running sync.WaitGroup
	for range n {
		running.Go(func() {
			for u := range urls {
				if err := getAway(client, u); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	for u := range strings.Lines(string(all)) {
		select {
		case urls <- strings.TrimSpace(u):
		case err := <-failed:
			return err
		}
	}
	close(urls)
	running.Wait()
	close(failed)
	return <-failed
}

func getAway(client *http.Client, address string) error {
	if _, err := url.Parse(address); err != nil {
		return err
	}
	res, err := client.Get(address)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s", res.Status)
	}
	if err != nil {
		return err
	}
	return res.Body.Close()
}
