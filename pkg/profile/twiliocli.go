package profile

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/faxctl/faxctl/pkg/base/problem"
)

// Imported is a profile found in another tool's file, to be saved with [Add]
// and [Secrets.Store].
type Imported struct {
	Profile Profile
	Secret  Secret // empty when the file does not hold it
	Was     string // its name there
	Note    string // why it cannot be used as it is, or ""
}

// TwilioCLIPath is where Twilio's CLI keeps its profiles in a home folder.
func TwilioCLIPath(home string) string { return filepath.Join(home, ".twilio-cli", "config.json") }

// twilioCLI is that file. Profiles hold their API keys; the older
// "projects" only name accounts, whose keys are in the system's keychain.
// Source: twilio-cli-core, src/services/config.js.
type twilioCLI struct {
	Edge     string                    `json:"edge"`
	Profiles map[string]twilioCLIEntry `json:"profiles"`
	Projects []struct {
		ID string `json:"id"`
		twilioCLIEntry
	} `json:"projects"`
}

type twilioCLIEntry struct {
	AccountSID string `json:"accountSid"`
	APIKey     string `json:"apiKey"`
	APISecret  string `json:"apiSecret"`
	Region     string `json:"region"`
}

// ImportTwilioCLI reads the profiles of Twilio's CLI, sorted by name. Names are
// made to fit; every profile refers to the keyring. Errors: problem.ErrNotFound when
// there is no such file, problem.ErrInvalid.
func ImportTwilioCLI(path string) ([]Imported, error) {
	raw, err := readAtOnce(path, os.O_RDONLY|syscall.O_NONBLOCK, maxConfig, regular(path))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &problem.Error{Kind: problem.ErrNotFound, Text: "no profiles of Twilio's CLI at " + path, Advice: problem.Say("add the account with %s", problem.Command("profile", "add"))}
	}
	if err != nil {
		return nil, err
	}
	var file twilioCLI
	if err := json.Unmarshal(raw, &file); err != nil {
		return nil, &problem.Error{Kind: problem.ErrInvalid, Text: path + " is not a config file of Twilio's CLI", Cause: err}
	}
	entries := map[string]twilioCLIEntry{}
	for _, p := range file.Projects {
		entries[p.ID] = p.twilioCLIEntry
	}
	maps.Copy(entries, file.Profiles)

	var all []Imported
	taken := map[string]bool{}
	for _, id := range slices.Sorted(maps.Keys(entries)) {
		i := entries[id].imported()
		i.Was, i.Profile.Edge = id, file.Edge
		i.Profile.Name = freeName(id, taken)
		taken[i.Profile.Name] = true
		if err := i.Profile.Validate(); err != nil {
			i.Note = err.Error()
		} else if i.Secret.IsZero() {
			i.Note = problem.Say("its secret is not in the file; add it with %s", problem.Command("profile", "add").Arg(i.Profile.Name)).String()
		}
		all = append(all, i)
	}
	return all, nil
}

func (e twilioCLIEntry) imported() Imported {
	i := Imported{
		Profile: Profile{Provider: Twilio, AccountID: strings.TrimSpace(e.AccountSID), APIKey: strings.TrimSpace(e.APIKey),
			Region: strings.TrimSpace(e.Region), Secret: Keyring()},
		Secret: NewSecret(strings.TrimSpace(e.APISecret)),
	}
	if i.Profile.APIKey == i.Profile.AccountID { // its way of saying that the secret is the auth token
		i.Profile.APIKey = ""
	}
	return i
}

// freeName turns id into a profile name that nobody has yet.
func freeName(id string, taken map[string]bool) string {
	name := strings.Map(func(r rune) rune {
		if isLowerAlnum(r) {
			return r
		}
		return '-'
	}, strings.ToLower(id))
	name = strings.Join(strings.FieldsFunc(name, func(r rune) bool { return r == '-' }), "-")
	name = name[:min(len(name), 50)]
	name = strings.Trim(name, "-")
	if name == "" || CheckName(name) != nil {
		name = strings.TrimSuffix("twilio-"+name, "-")
	}
	free := name
	for n := 2; taken[free]; n++ {
		free = fmt.Sprintf("%s-%d", name, n)
	}
	return free
}
