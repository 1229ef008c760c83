package plan

import "time"

// AgeNotes makes every purchase that is noted older.
func AgeNotes(s Notes, by time.Duration) error {
	all, err := s.read()
	for _, n := range all {
		n.Time, n.Asked = n.Time.Add(-by), n.Asked.Add(-by)
		if err == nil {
			err = s.write(n)
		}
	}
	return err
}

// SetClock makes every purchase that is noted older by the clock of this machine
// alone, as when that is set.
func SetClock(s Notes, by time.Duration) error {
	all, err := s.read()
	for _, n := range all {
		n.Time = n.Time.Add(-by)
		if err == nil {
			err = s.write(n)
		}
	}
	return err
}
