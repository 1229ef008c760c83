package archive

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/faxctl/faxctl/pkg/archive/index"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/seq"
)

// takeOver has a common index that is up to date know what was held by the index of this
// machine, if it has one, since that was used: it may know of holds whose sidecar is lost,
// which no list tells of. It stays, for who goes back.
func (a *Archive) takeOver(ctx context.Context, name string) error {
	before, err := index.Open(ctx, name, true)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = errors.Join(a.takeOverHolds(ctx, before), before.Close())
	}
	if errors.Is(err, index.ErrDamaged) {
		err = problem.With(err, problem.Say("it may know of holds whose sidecars are lost: bring it back from a backup, or move it away, and then those are forgotten"))
	}
	if err != nil {
		return fmt.Errorf("the index that this machine had of %s without a database, %s: %w", a.dir, name, err)
	}
	return nil
}

// handedOver is the state of an index whose holds are in the common one.
const handedOver index.State = "handed over"

func (a *Archive) takeOverHolds(ctx context.Context, before *index.Index) error {
	state, err := before.State(ctx)
	if err != nil || state == handedOver {
		return err
	}
	if err := before.Intact(ctx); err != nil {
		return err
	}
	for rows, err := range seq.Chunks(before.Held(ctx), batch) {
		if err == nil {
			err = a.learnHolds(ctx, rows)
		}
		if err != nil {
			return err
		}
	}
	_, err = before.SetState(ctx, handedOver)
	return err
}

// learnHolds has the index know of holds that another one knew of, unless it knows what became
// of them.
func (a *Archive) learnHolds(ctx context.Context, rows []index.Row) error {
	ids := make([]string, len(rows))
	for i, r := range rows {
		ids[i] = r.Fax.ID
	}
	known, err := a.index.Among(ctx, ids)
	if err != nil {
		return err
	}
	var news []index.Row
	for _, r := range rows {
		lost := lostWith(r)
		key, l := r.Key, located{Entry: lost.Entry, lost: true}
		if i := slices.IndexFunc(known, func(k index.Row) bool { return k.Fax.ID == r.Fax.ID }); i >= 0 {
			key, l = known[i].Key, located{Entry: lastKnown(known[i])}.knowing(lost.Entry)
			lost.Replaced = true
		}
		if !l.lost {
			continue
		}
		if lost.row, err = rowOf(l.Entry, key, ""); err != nil { // without a stamp each look finds it
			return err
		}
		news = append(news, lost.row)
		if a.lost != nil {
			a.lost(lost)
		}
	}
	return a.index.Put(ctx, news)
}
