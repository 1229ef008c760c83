package archive_test

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/archive"
)

// A copy that is cut off anywhere leaves no sidecar without its document, and is finished
// by the next one.
func TestCopyCutOff(t *testing.T) {
	other, err := archive.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close(context.Background())
	never := func(string) error { return nil }
	d, faxes := archive.Fill(t, 1)
	from := archive.OpenShared(t, t.TempDir(), other, never)
	if _, _, err := from.Save(t.Context(), d, faxes[0]); err != nil {
		t.Fatal(err)
	}
	if _, err := from.Hold(t.Context(), faxes[0].ID, "case 1"); err != nil {
		t.Fatal(err)
	}
	keys, lost, err := from.Keys(t.Context())
	if err != nil || len(keys) != 1 || len(lost) != 0 {
		t.Fatal(keys, lost, err)
	}
	cut := 0
	for nth := 1; ; nth++ {
		c := crowd{t: t, dir: t.TempDir(), dice: rand.New(rand.NewPCG(1, 1)), f: faxes[0]}
		n := 0
		to := archive.OpenShared(t, c.dir, other, func(string) error {
			if n++; n >= nth {
				return errKilled
			}
			return nil
		})
		_, err := from.CopyTo(t.Context(), to, keys[0], false)
		if e, whole := c.look(); e != nil && (!whole || e.Hold == nil) {
			t.Errorf("cut off at step %d: %+v, whole: %v", nth, e, whole)
		}
		again := archive.OpenShared(t, c.dir, other, never)
		done, bad := from.CopyTo(t.Context(), again, keys[0], false)
		if e, whole := c.look(); bad != nil || !whole || e == nil || e.Hold == nil || done.Added == (err == nil) {
			t.Errorf("again after step %d: %+v, %v, whole: %v", nth, done, bad, whole)
		}
		if err == nil {
			break
		}
		cut++
	}
	if cut < 4 {
		t.Errorf("cut off at %d steps", cut)
	}
}

// A fax that two archives hold is held for what both say, since the earlier time, and a hold
// of either is one; whoever copies again changes nothing.
func TestCopyOfHolds(t *testing.T) {
	earlier, later := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	for _, tt := range []struct{ there, from, want *archive.Hold }{
		{nil, nil, nil},
		{nil, &archive.Hold{Reason: "case 1", Since: later}, &archive.Hold{Reason: "case 1", Since: later}},
		{&archive.Hold{Reason: "case 2", Since: later}, nil, &archive.Hold{Reason: "case 2", Since: later}},
		{&archive.Hold{Reason: "case 2", Since: later}, &archive.Hold{Reason: "case 1", Since: earlier}, &archive.Hold{Reason: "case 2; case 1", Since: earlier}},
		{&archive.Hold{Reason: "case 2; case 1", Since: earlier}, &archive.Hold{Reason: "case 1", Since: later}, &archive.Hold{Reason: "case 2; case 1", Since: earlier}},
		{&archive.Hold{Reason: "case 1", Since: later}, &archive.Hold{Reason: "case 2; case 1", Since: earlier}, &archive.Hold{Reason: "case 2; case 1", Since: earlier}},
	} {
		d, faxes := archive.Fill(t, 1)
		dirs := []string{t.TempDir(), t.TempDir()}
		for i, hold := range []*archive.Hold{tt.there, tt.from} {
			a := shared(t, dirs[i])
			e, _, err := a.Save(t.Context(), d, faxes[0])
			if err != nil {
				t.Fatal(err)
			}
			if hold != nil {
				told, err := json.Marshal(hold)
				if err != nil {
					t.Fatal(err)
				}
				archive.WriteSidecar(t, filepath.Join(dirs[i], filepath.FromSlash(faxes[0].Created.UTC().Format("2006/01/02")), e.Fax.ID+".json"), e, `"hold":`+string(told), time.Now())
			}
		}
		to, from := shared(t, dirs[0]), shared(t, dirs[1])
		keys, _, err := from.Keys(t.Context())
		if err != nil || len(keys) != 1 {
			t.Fatal(keys, err)
		}
		learns := tt.from != nil && (tt.there == nil || !tt.from.Since.Equal(tt.there.Since))
		for range 2 {
			done, err := from.CopyTo(t.Context(), to, keys[0], false)
			if err != nil {
				t.Fatal(err)
			}
			if e, err := to.Get(t.Context(), faxes[0].ID); err != nil || !reflect.DeepEqual(e.Hold, tt.want) {
				t.Errorf("%+v and %+v: held as %+v, %v", tt.there, tt.from, e.Hold, err)
			}
			if done.Renewed != learns {
				t.Errorf("%+v and %+v: %+v", tt.there, tt.from, done)
			}
			learns = false
		}
	}
}
