package sandbox_test

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/faxctl/faxctl/pkg/sandbox"
)

func BenchmarkSeed(b *testing.B) {
	for b.Loop() {
		s, err := sandbox.Open(b.Context(), sandbox.Options{Path: filepath.Join(b.TempDir(), "state.db")})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := s.Seed(b.Context(), sandbox.SeedOptions{Faxes: 100_000}); err != nil {
			b.Fatal(err)
		}
		s.Close()
	}
}

func BenchmarkFaxList(b *testing.B) {
	s, err := sandbox.Open(b.Context(), sandbox.Options{Path: filepath.Join(b.TempDir(), "state.db")})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Seed(b.Context(), sandbox.SeedOptions{Faxes: 20_000}); err != nil {
		b.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, "/v1/Faxes?PageSize=1000", nil)
	r.SetBasicAuth(s.Account().Account, s.Account().Token)
	b.ReportAllocs()
	for b.Loop() {
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		if w.Code != 200 {
			b.Fatal(w.Body)
		}
	}
}
