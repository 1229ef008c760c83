package receiver

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/riverqueue/river"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
)

// The note of the archive of all who share the state. The claim in an archive cannot tell
// them apart, since they are one receiver: each would find the one it was given free.
const (
	sharedArchive = "archive"
	firstArchive  = `INSERT INTO receiver_note (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`
)

// together fails with fax.ErrConflict when those who share the state have another archive.
func (r *Receiver) together(ctx context.Context) error {
	if !r.queue.db.shared() || r.cfg.ArchiveName == "" {
		return nil
	}
	noted, err := r.queue.note(ctx, sharedArchive)
	if err != nil || noted == "" || r.cfg.SameArchive(noted, r.cfg.ArchiveName) {
		return err
	}
	return problem.With(fmt.Errorf("archive %s: %w: the receivers that share this database receive into %s", r.cfg.ArchiveName, problem.ErrConflict, text.Line(noted)),
		problem.Say("start it with that one; or end them, and %s has all of them receive into this one", problem.Field("take-over")))
}

// join notes the archive, where none is noted or this receiver takes over. Of two that
// begin at once with different ones, one fails.
func (r *Receiver) join(ctx context.Context) error {
	if !r.queue.db.shared() || r.cfg.ArchiveName == "" {
		return nil
	}
	statement := firstArchive
	if r.cfg.TakeOver {
		statement = upsertNote
	}
	err := r.queue.commits.do(func(ctx context.Context, tx *sql.Tx) ([]river.InsertManyParams, error) {
		_, err := r.queue.db.exec(ctx, tx, statement, sharedArchive, r.cfg.ArchiveName)
		return nil, err
	})
	if err != nil {
		return err
	}
	return r.together(ctx)
}
