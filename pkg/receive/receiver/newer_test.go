package receiver_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/faxctl/faxctl/pkg/base/problem"
)

// What a newer faxctl has changed is neither shown nor touched.
func TestDeskOfNewer(t *testing.T) { t.Run(inDatabase, testDeskOfNewer) }

func testDeskOfNewer(t *testing.T) {
	s := newStation(t, nil)
	if _, err := s.config.Database.ExecContext(t.Context(), "UPDATE faxctl.versions SET version = 99"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.openDesk(); !errors.Is(err, problem.ErrUnsupported) || !strings.Contains(err.Error(), "version 99") || problem.AdviceOf(err).Empty() {
		t.Errorf("%v (%v)", err, problem.AdviceOf(err))
	}
}
