package s3

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/faxctl/faxctl/pkg/archive/store"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
)

// Remove implements store.Store. The oldest version goes first: when one may not go, what
// is there stays as it was, and no earlier content comes back. It is gone when the server
// lists nothing of it any more, whatever was answered before.
func (s *Store) Remove(ctx context.Context, name string) error {
	if err := check(ctx, name); err != nil {
		return err
	}
	removed := map[string]bool{} // versions, as the server said
	return patiently(ctx, s.options.Patience, func() error {
		all, err := s.versions(ctx, s.at.key(name))
		if err != nil {
			return s.tellVersions(ctx, err, name)
		}
		for _, v := range all {
			if len(removed) > 0 && !removed[v.VersionID+v.ETag] {
				return store.Changed(s.at.of(name)) // it was put again meanwhile
			}
		}
		for _, v := range all {
			if err := s.removeVersion(ctx, name, v.VersionID); err != nil {
				return err
			}
			removed[v.VersionID+v.ETag] = true
		}
		if len(all) == 0 {
			return nil
		}
		left, err := s.versions(ctx, s.at.key(name))
		if err == nil && len(left) > 0 {
			err = errAgain // the next look tells what it is
		}
		return s.tellVersions(ctx, err, name)
	})
}

func (s *Store) removeVersion(ctx context.Context, name, version string) error {
	err := s.client.RemoveObject(ctx, s.at.Bucket, s.at.key(name), minio.RemoveObjectOptions{VersionID: version})
	var said minio.ErrorResponse
	switch {
	case !errors.As(err, &said):
	case isAbsent(said) || said.Code == minio.NoSuchVersion:
		return nil // an earlier attempt has removed it
	case said.StatusCode == http.StatusForbidden || said.StatusCode == http.StatusBadRequest:
		if kept := s.kept(ctx, name, version); kept != nil {
			return kept
		}
	}
	return s.tell(ctx, err, name, right{action: "s3:DeleteObjectVersion"})
}

// versions are all that is kept under exactly this key, and the marks of deletions, the
// oldest first. Where a bucket has no versions, that is the file itself.
func (s *Store) versions(ctx context.Context, key string) ([]minio.ObjectInfo, error) {
	var all []minio.ObjectInfo
	for v := range s.client.ListObjectsIter(ctx, s.at.Bucket, minio.ListObjectsOptions{Prefix: key, WithVersions: true}) {
		var said minio.ErrorResponse
		if errors.As(v.Err, &said) && (said.Code == minio.NotImplemented || said.StatusCode == http.StatusNotImplemented) {
			return s.unversioned(ctx, key)
		}
		if v.Err != nil {
			return nil, v.Err
		}
		if v.Key == key {
			all = append(all, v)
		}
	}
	slices.Reverse(all) // the server tells of the newest first
	slices.SortStableFunc(all, func(a, b minio.ObjectInfo) int { return order(a.IsLatest) - order(b.IsLatest) })
	return all, ctx.Err()
}

func order(latest bool) int {
	if latest {
		return 1
	}
	return 0
}

// unversioned is what a server has that knows no versions at all.
func (s *Store) unversioned(ctx context.Context, key string) ([]minio.ObjectInfo, error) {
	no := false
	for is := range s.client.ListObjectsIter(ctx, s.at.Bucket, minio.ListObjectsOptions{Prefix: key, FetchOwner: &no}) {
		if is.Err != nil {
			return nil, is.Err
		}
		if is.Key == key {
			return []minio.ObjectInfo{is}, nil
		}
	}
	return nil, ctx.Err()
}

func (s *Store) tellVersions(ctx context.Context, err error, name string) error {
	return s.tell(ctx, err, name, right{"s3:ListBucketVersions", true})
}

// kept is what keeps a version from being removed; nil: nothing that can be seen. A server
// says of one that is under a legal hold what it says of one whose removal the policy does
// not grant.
func (s *Store) kept(ctx context.Context, name, version string) error {
	key := s.at.key(name)
	held, err := s.client.GetObjectLegalHold(ctx, s.at.Bucket, key, minio.GetObjectLegalHoldOptions{VersionID: version})
	if err == nil && *held == minio.LegalHoldEnabled {
		return &problem.Error{Kind: problem.ErrConflict, Text: s.at.of(name) + " is under a legal hold of its bucket"}
	}
	is, err := s.client.StatObject(ctx, s.at.Bucket, key, minio.StatObjectOptions{VersionID: version})
	if err != nil {
		return nil //nolint:nilerr // then it is told what the server said of the removal
	}
	until, err := time.Parse(time.RFC3339, is.Metadata.Get("X-Amz-Object-Lock-Retain-Until-Date"))
	if err != nil || until.Before(time.Now()) {
		return nil //nolint:nilerr // no such date is no retention
	}
	return &problem.Error{Kind: problem.ErrConflict, Text: fmt.Sprintf("%s is kept by its bucket until %s (%s)",
		s.at.of(name), until.UTC().Format(time.RFC3339), text.Line(is.Metadata.Get("X-Amz-Object-Lock-Mode")))}
}
