package plan

import "time"

// AgeNotes makes every purchase that is noted older.
func AgeNotes(s Notes, by time.Duration) error {
	all, err := s.read()
	for _, n := range all {
		n.Time = n.Time.Add(-by)
		if err == nil {
			err = s.write(n)
		}
	}
	return err
}
