package s3

import (
	"context"
	"encoding/xml"
	"errors"
	"net/http"

	"github.com/minio/minio-go/v7"

	"github.com/faxctl/faxctl/pkg/base/problem"
)

// ObjectLock reports whether the bucket can keep files from being removed. It is asked
// once: a bucket does not lose it.
func (s *Store) ObjectLock(ctx context.Context) (bool, error) {
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.has != nil {
		return *s.has, nil
	}
	var has bool
	err := patiently(ctx, s.options.Patience, func() error {
		enabled, _, _, _, err := s.client.GetObjectLockConfig(ctx, s.at.Bucket)
		has = enabled == "Enabled"
		var other xml.UnmarshalError // a server that does not know the question answers another
		var said minio.ErrorResponse
		if errors.As(err, &other) || errors.As(err, &said) && (said.Code == "ObjectLockConfigurationNotFoundError" || said.StatusCode == http.StatusNotImplemented) {
			return nil
		}
		return err
	})
	if err != nil {
		return false, s.tell(ctx, err, "", right{"s3:GetBucketObjectLockConfiguration", true})
	}
	s.has = &has
	return has, nil
}

// LegalHold puts what a name stands for now under a legal hold, or releases it with all of
// its versions, and makes sure. fs.ErrNotExist: there is no such file;
// problem.ErrUnsupported: the bucket has no object lock.
func (s *Store) LegalHold(ctx context.Context, name string, on bool) error {
	if err := check(ctx, name); err != nil {
		return err
	}
	if has, err := s.ObjectLock(ctx); err != nil {
		return err
	} else if !has {
		return &problem.Error{Kind: problem.ErrUnsupported, Text: "bucket " + s.at.Bucket + " has no object lock",
			Advice: problem.Say("a bucket is made with it, or without")}
	}
	if _, err := s.Stat(ctx, name); err != nil {
		return err
	}
	if on {
		return s.hold(ctx, name, "", minio.LegalHoldEnabled)
	}
	all, err := s.versions(ctx, s.at.key(name))
	if err != nil {
		return s.tellVersions(ctx, err, name)
	}
	for _, v := range all {
		if v.IsDeleteMarker {
			continue
		}
		if err := s.hold(ctx, name, v.VersionID, minio.LegalHoldDisabled); err != nil {
			return err
		}
	}
	return nil
}

// Held reports whether what a name stands for now is under a legal hold. Errors as of
// [Store.Stat].
func (s *Store) Held(ctx context.Context, name string) (bool, error) {
	if err := check(ctx, name); err != nil {
		return false, err
	}
	return s.held(ctx, name, "")
}

// held reports whether a version ("": the newest) is under a legal hold.
func (s *Store) held(ctx context.Context, name, version string) (held bool, err error) {
	err = patiently(ctx, s.options.Patience, func() error {
		is, err := s.client.GetObjectLegalHold(ctx, s.at.Bucket, s.at.key(name), minio.GetObjectLegalHoldOptions{VersionID: version})
		var said minio.ErrorResponse
		if errors.As(err, &said) && said.Code == "NoSuchObjectLockConfiguration" {
			return nil // it never was
		}
		held = err == nil && *is == minio.LegalHoldEnabled
		return err
	})
	return held, s.tell(ctx, err, name, right{action: "s3:GetObjectLegalHold"})
}

// MayRemove fails as [Store.Remove] would, when the bucket is known to keep a version.
func (s *Store) MayRemove(ctx context.Context, name string) error {
	if has, err := s.ObjectLock(ctx); err != nil || !has {
		return err
	}
	all, err := s.versions(ctx, s.at.key(name))
	if err != nil {
		return s.tellVersions(ctx, err, name)
	}
	for _, v := range all {
		if v.IsDeleteMarker {
			continue
		}
		if err := s.kept(ctx, name, v.VersionID); err != nil {
			return err
		}
	}
	return nil
}

// hold sets the legal hold of a version ("": the newest), and reads it back.
func (s *Store) hold(ctx context.Context, name, version string, want minio.LegalHoldStatus) error {
	key := s.at.key(name)
	err := patiently(ctx, s.options.Patience, func() error {
		return s.client.PutObjectLegalHold(ctx, s.at.Bucket, key, minio.PutObjectLegalHoldOptions{VersionID: version, Status: &want})
	})
	if err != nil {
		return s.tell(ctx, err, name, right{action: "s3:PutObjectLegalHold"})
	}
	var got *minio.LegalHoldStatus
	err = patiently(ctx, s.options.Patience, func() (err error) {
		got, err = s.client.GetObjectLegalHold(ctx, s.at.Bucket, key, minio.GetObjectLegalHoldOptions{VersionID: version})
		return err
	})
	if err != nil {
		return s.tell(ctx, err, name, right{action: "s3:GetObjectLegalHold"})
	}
	if *got != want {
		return &problem.Error{Kind: problem.ErrUnsupported, Text: s.at.of(name) + ": the server took the legal hold, and did nothing about it"}
	}
	return nil
}
