package archive

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"

	"github.com/faxctl/faxctl/pkg/archive/store"
	"github.com/faxctl/faxctl/pkg/base/problem"
)

// bucketClaim is a claim of an archive on S3. Nothing tells whether who has it is running:
// its id decides, which the replicas of one receiver have in common.
type bucketClaim struct {
	at   inBucket
	name string
	me   Receiver
}

func (o inBucket) receiver(ctx context.Context, account string) (Receiver, error) {
	r, _, err := o.readClaim(ctx, claimName(account))
	return r, err
}

func (o inBucket) claimable(ctx context.Context, account, id string) error {
	before, _, err := o.readClaim(ctx, claimName(account))
	return mayClaim(o.where, before, err, id)
}

// readClaim is who has the archive, by the file of this name, and the stamp of that. Errors
// are those of [parseClaim] and of the store.
func (o inBucket) readClaim(ctx context.Context, name string) (r Receiver, stamp string, err error) {
	data, file, err := readSmall(ctx, o.remote, name)
	if err == nil {
		r, err = parseClaim(name, data)
	}
	return r, file.Stamp, err
}

func (o inBucket) claim(ctx context.Context, account string, me Receiver, takeOver func(before Receiver) error) (Claim, error) {
	c := &bucketClaim{at: o, name: claimName(account), me: me}
	data, err := json.Marshal(me)
	if err != nil {
		return nil, err
	}
	taken := false
	err = whileChanged(func() error {
		before, stamp, err := o.readClaim(ctx, c.name)
		when := store.Unchanged(stamp)
		if errors.Is(err, fs.ErrNotExist) {
			when = store.Absent()
		}
		err = mayClaim(o.where, before, err, me.ID)
		if errors.Is(err, problem.ErrConflict) && takeOver != nil {
			if err = nil; !taken {
				err = takeOver(before)
			}
			taken = err == nil
		}
		if err != nil {
			return err
		}
		_, err = o.Put(ctx, c.name, bytes.NewReader(append(data, '\n')), when)
		return err
	})
	if err != nil {
		return nil, err
	}
	return c, nil
}

// Check implements Claim.
func (c *bucketClaim) Check(ctx context.Context) error {
	now, _, err := c.at.readClaim(ctx, c.name)
	if err == nil && now.ID == c.me.ID {
		return nil
	}
	return lostClaim(ctx, c.at, c.at.where, c.name, c.me, now, err)
}

// Ready implements Claim. Whether something can be put is known when it is.
func (c *bucketClaim) Ready(ctx context.Context) error { return c.Check(ctx) }

// Close implements Claim. What it would say nobody could rely on.
func (c *bucketClaim) Close() error { return nil }
