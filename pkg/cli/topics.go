package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/cli/app"
)

// topic is a page of help that is no command: `faxctl help NAME`.
func topic(name, short, long string) *cobra.Command {
	return &cobra.Command{Use: name, Short: short, Long: long}
}

func topics() []*cobra.Command {
	return []*cobra.Command{
		topic("environment", "The environment variables faxctl reads", environmentHelp),
		topic("config", "The configuration file: profiles and what is in them", configHelp),
		topic("exit-codes", "What the exit statuses mean", exitCodesHelp()),
		topic("output", "Formats, columns, colors, and what goes where", outputHelp),
	}
}

const environmentHelp = `A flag beats the environment, the environment beats the profile, the profile
beats the default. faxctl whoami shows where each value came from. A variable
that is empty is not set; one with a bad value is refused by its name.

faxctl's own:
  FAXCTL_PROFILE       the profile to use, as --profile
  FAXCTL_CONFIG        the configuration file; see faxctl help config
                       (default $XDG_CONFIG_HOME/faxctl/config.yaml)
  FAXCTL_API_URL       an origin for every provider call, as --api-url
  FAXCTL_OUTPUT        a format for data, as --output; a command that it does
                       not fit has its own
  FAXCTL_NO_INPUT      ask nothing, as --no-input: 1 or 0; also when CI is set
                       or standard input is no terminal
  FAXCTL_CONFIRM_FOR   how long to look until what was done to a number shows,
                       as --confirm-for of numbers buy, numbers search,
                       numbers configure and numbers apply
  FAXCTL_ARCHIVE       the archive: --to of faxes archive, --archive of faxes
                       prune, faxes delete, faxes media delete, faxes expiring
                       and serve, and ARCHIVE of archive list, archive get,
                       archive view, archive mail, archive verify and archive
                       reindex where none is given; never of what holds or lets
                       go
  FAXCTL_DATABASE      --database of numbers buy, numbers search, numbers plan,
                       numbers apply, numbers release, sandbox reset, serve,
                       serve status, serve jobs list, serve jobs retry, serve
                       jobs discard, and with an archive on S3 of faxes
                       archive, faxes prune, faxes expiring, faxes delete,
                       faxes media delete, archive list, archive get, archive
                       view, archive mail, archive verify, archive reindex,
                       archive hold, archive unhold, archive copy and archive
                       remove: postgres://USER@HOST:PORT/DATABASE, without a
                       password
  FAXCTL_STATE         --state of serve, serve status, serve jobs list, serve
                       jobs retry and serve jobs discard
  FAXCTL_PUBLIC_URL    --public-url of serve and healthcheck
  FAXCTL_LISTEN        --listen of serve and healthcheck, never of the sandbox
  FAXCTL_LOG_FORMAT    --log-format of serve
  FAXCTL_DRAW          --draw of faxes view and archive view
  FAXCTL_PRINT_WITH    --print-with of faxes view and archive view
  FAXCTL_SMTP_URL      the mail server: smtp://USER@HOST:PORT, by STARTTLS
                       unless HOST is this machine, or smtps://USER@HOST:PORT;
                       without a password
  FAXCTL_MAIL_FROM     --from of faxes mail and archive mail
  FAXCTL_SMTP_PASSWORD the password of its user
  FAXCTL_MAIL          --mail of serve, a file of rules
  FAXCTL_FORWARD_KEY   signs what faxctl serve sends to the URL of its forward
  XDG_STATE_HOME       holds faxctl/, the sandbox, lock and notes of buying
                       (default ~/.local/state)
  XDG_CACHE_HOME       holds faxctl/, what completion offered a moment ago, and
                       what this machine knows of archives on S3
                       (default ~/.cache)
  FAXCTL_S3_ENCRYPTION what is put on S3 is encrypted by AES256, aws:kms or
                       aws:kms:KEY
  FAXCTL_S3_RETENTION  the bucket keeps what is put for so long, as 7y
  FAXCTL_S3_RETENTION_MODE
                       governance (the default) or compliance

No variable deletes, buys, confirms or weakens a check. A name that is nearly
one of these, or of the credentials below, is told, and so is that of a flag
which has no variable, as FAXCTL_DRY_RUN.

Credentials without a profile:
  TWILIO_ACCOUNT_SID   with TWILIO_AUTH_TOKEN,
                       or with TWILIO_API_KEY and TWILIO_API_SECRET; beside
                       these, TWILIO_AUTH_TOKEN is what signs callbacks
  TWILIO_EDGE, TWILIO_REGION
  SIGNALWIRE_SPACE_URL (or SIGNALWIRE_SPACE, SIGNALWIRE_API_HOSTNAME)
  SIGNALWIRE_PROJECT_ID
  SIGNALWIRE_API_TOKEN (or SIGNALWIRE_TOKEN)
  SIGNALWIRE_SIGNING_KEY             what signs callbacks

Archives on S3, as AWS's own tools have it:
  AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL   the server, where it is not Amazon's
  AWS_REGION, AWS_DEFAULT_REGION
  AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN
  AWS_PROFILE, AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE
  AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_ARN, AWS_ROLE_SESSION_NAME
  AWS_CONTAINER_CREDENTIALS_FULL_URI, AWS_CONTAINER_CREDENTIALS_RELATIVE_URI
  AWS_EC2_METADATA_DISABLED               do not ask the machine for its role
  AWS_CA_BUNDLE                           who vouches for the server
  AWS_USE_FIPS_ENDPOINT, AWS_USE_DUALSTACK_ENDPOINT
  AWS_IGNORE_CONFIGURED_ENDPOINT_URLS

A database of PostgreSQL, as its own tools have it:
  PGPASSWORD, PGPASSFILE             the password; else ~/.pgpass
  PGSSLROOTCERT                      who vouches for the server
  PGSSLCERT, PGSSLKEY, PGSSLPASSWORD a certificate to log in with
  PGCONNECT_TIMEOUT, PGAPPNAME

Secrets in files: for each variable of a secret there is one with _FILE behind
its name, the path of a file that has the secret in it, as Docker and
Kubernetes mount it: TWILIO_AUTH_TOKEN_FILE, TWILIO_API_SECRET_FILE,
SIGNALWIRE_API_TOKEN_FILE, SIGNALWIRE_TOKEN_FILE, SIGNALWIRE_SIGNING_KEY_FILE,
FAXCTL_FORWARD_KEY_FILE, FAXCTL_SMTP_PASSWORD_FILE, PGPASSWORD_FILE. Both at
once are refused. Nobody but its owner may write to the file; one in your home,
nobody but you may read. It has the secret alone in it, as one line; one that is
wrong ends with 2, and one that is not there with 4. A pipe is waited for, 10
seconds.

Times:
  TZ                   the time zone of --since and --until, and of tables

Colors and width:
  NO_COLOR, CLICOLOR=0, TERM=dumb    no colors
  CLICOLOR_FORCE                     colors where there is no terminal, for the
                                     words error, hint and warning; the drawn,
                                     colored table is for terminals alone
  COLUMNS                            the width of tables

Proxies: HTTPS_PROXY, HTTP_PROXY, NO_PROXY, as everywhere.`

const configHelp = `The configuration has the accounts that you use, each a profile. It is YAML in
$XDG_CONFIG_HOME/faxctl/config.yaml (~/.config by default, %AppData% on
Windows), or where FAXCTL_CONFIG says; /dev/null is one without profiles. It is
written by faxctl profile add, use and remove, which keep your comments, or by
hand: every mistake is told with its line. It holds no secret. Others may read
it, and nobody but its owner may write to it.

  current: clinic
  profiles:
    clinic:
      provider: twilio
      account: AC0123456789abcdef0123456789abcdef
      secret: keyring
      archive: ~/faxes
      output: wide
    court:
      provider: signalwire
      space: example.signalwire.com
      account: 8f0e1c9a-3b1d-4a53-9c58-2f6f4f5d6a7b
      secret: file:court.token
      signing-key: env:COURT_SIGNING_KEY
      country: CA
      read-only: true

current is the profile in use where neither --profile nor FAXCTL_PROFILE nor
the credentials of the environment say otherwise.

The account, of every profile:
  provider      twilio or signalwire
  account       the Account SID (AC...), or SignalWire's project id
  secret        where the auth token, the API token or the secret of the API key
                is kept: keyring, env:NAME, file:PATH or command:PROGRAM
                ARGUMENTS; a relative path is taken from the file's folder
  api-key       Twilio's API key (SK...), when the secret is the key's
  parent        the Twilio account that the credentials are of, when account is
                a subaccount of it
  space         SignalWire's space
  edge, region  Twilio's
  signing-key   where the key that signs callbacks is kept, when it is not the
                secret; as for secret
  api-url       an origin for every provider call; FAXCTL_API_URL goes before it
  read-only     true refuses every change at the provider

What commands take where neither a flag nor a variable says it:
  output        a format, as in -o; FAXCTL_OUTPUT goes before it
  country       two letters: whose phone numbers you write without their country
  archive       the folder of your archive; FAXCTL_ARCHIVE goes before it
  database      a PostgreSQL database that machines share, without its password;
                FAXCTL_DATABASE
  state         the folder of a receiver's state; FAXCTL_STATE
  public-url    the URL of a receiver; FAXCTL_PUBLIC_URL
  listen        the address that a receiver listens on; FAXCTL_LISTEN
  log-format    text or json; FAXCTL_LOG_FORMAT
  print-with    the program that view --print prints with; FAXCTL_PRINT_WITH
  smtp-url      the mail server, as in smtp://faxes@mail.clinic.example:587;
                FAXCTL_SMTP_URL
  mail-from     who mails are from; FAXCTL_MAIL_FROM
  smtp-password  where the password of the mail server is kept: env:NAME,
                file:PATH or command:PROGRAM ARGUMENTS; FAXCTL_SMTP_PASSWORD
  mail          a file of rules, by which a receiver sends mail; FAXCTL_MAIL

A folder that is relative is taken from the file's folder; ~ is the home. No
setting deletes, buys, confirms or weakens a check. faxctl whoami and faxctl
profile show tell where each value comes from. Profiles sandbox and
sandbox-signalwire are built in.`

func exitCodesHelp() string {
	var b strings.Builder
	b.WriteString("Scripts can rely on these; a number never changes its meaning.\n")
	for _, s := range app.ExitStatuses() {
		fmt.Fprintf(&b, "\n%5d  %s\n       what to do: %s", s.Code, s.Meaning, s.Todo)
	}
	b.WriteString(`

An archive that is not there, as its name is misspelt, is 5 where it is looked
into, and 2 where faxes would be deleted on its word: by faxes prune and faxes
delete, with --archive, FAXCTL_ARCHIVE or the profile.`)
	return b.String()
}

const outputHelp = `Data goes to standard output, everything else to standard error: notes,
progress, questions and warnings. A pipe sees the same bytes on every run.

Formats (-o, --output):
  table          on a terminal, a table fitted to its width, with relative
                 times and colors, in the order in which people look: a list
                 of faxes says when, the other end, your number by its name,
                 pages and status, and the beginning of the id. Columns with
                 nothing in them are left out, and those of least weight when
                 there is no room, which a note says; those that you name stay.
                 In a pipe, tab-separated with a header, every column of the
                 table, RFC 3339 times and no colors; with --quiet a list of
                 nothing prints nothing, so that cron sends no mail
  wide           the table with every column there is, however long its lines
  json           one array, or one object for one thing that was named; nothing
                 at all when the command fails half-way
  jsonl          one object a line, as they arrive
  yaml           the same fields as json
  csv, tsv       the columns of the table, with a header
  id             one id a line, to be piped into a command that takes -
  jq=EXPR        the json, through a jq expression: -o jq='.[].phone'
  template=TEXT  a Go template for each: -o template='{{.phone}}'

A command that takes several numbers or ids shows an object, or a list of
fields, only for exactly one that is named on the command line. Those read from
standard input (-) give a list, be it of one or of none.

Columns: -o csv=phone,id names them; --columns a,b does so for any format with
columns, --columns +c adds one and --columns -d leaves one out. --no-header
drops the header. Completion lists the names.

What is wrong with all that is found before anything is asked or done: unknown
columns, expressions and templates that cannot be read, fields that a template
names and the data does not have. What only shows with the data, when something
was done already, ends with exit status 1 and a line that says what was done. A
reader who goes away ends the printing, and not the work.

Commands that delete or keep faxes or fill the sandbox (faxes delete, faxes
prune, faxes archive, archive hold, archive remove, sandbox seed) have no
records to print: standard output stays empty, the exit status tells how it
went, and what was done is a line on standard error. They refuse flags about
data, all but -o json and jsonl, which are for errors as well. faxes delete,
faxes prune and archive remove print the faxes with --dry-run; the last two,
with --receipts -, a JSON line or two for each.

With --dry-run and -o, numbers buy, numbers configure and numbers apply print
what would be done, in the records of numbers plan; numbers release prints the
numbers that would go, and api the method, url and form of its request.

--raw with -o json or jsonl prints what the provider sent.

An error is one line on standard error with a hint below it; with -o json or
jsonl it is one JSON object. faxctl help exit-codes lists the exit statuses.

Cells of csv that a spreadsheet would take for a formula are quoted with an
apostrophe; phone numbers stay as they are. Control characters sent by a
provider never reach the terminal.`
