package fax

import (
	"fmt"
	"strings"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
)

// ReadPhone reads a phone number as people write it in a country (ISO 3166-1; "": the
// United States) and returns it in E.164: (415) 555-0123, 1 415 555 0123, 011 49 30
// 12345678. It is for what only reads: what a number without its country code means is
// a guess, if a good one. ErrInvalid: not a phone number there.
func ReadPhone(s, country string) (string, error) {
	phone, err := ParsePhone(s)
	if err == nil {
		return phone, nil
	}
	digits := WithoutMarks(s)
	if digits == "" || !text.MadeOf(digits, text.Digits) {
		return "", err
	}
	if country == "" {
		country = "US"
	}
	d := dialingIn(country)
	abroad := d.abroad(digits)
	if abroad == "" {
		return "", problem.Invalid(problem.Say("write it with a plus sign and the country code, as in +14155550123"), "phone number %q: %s", s, d.amiss(digits, country))
	}
	return ParsePhone(abroad)
}

// dialing is how a country's numbers are written within it.
type dialing struct {
	code  string // after the plus sign
	trunk string // before a number within the country, and not from abroad; "": none
	exit  string // before the code of another country
}

// abroad is how digits that were written within the country are written everywhere, or
// "": there it is no number, or may be several.
func (d dialing) abroad(digits string) string {
	if rest, foreign := strings.CutPrefix(digits, d.exit); foreign {
		return "+" + rest
	}
	if rest, foreign := strings.CutPrefix(digits, "00"); foreign { // understood by people where it is not by exchanges
		return "+" + rest
	}
	switch rest, trunk := strings.CutPrefix(digits, d.trunk); {
	case d.code == "":
		return ""
	case d.code == "1":
		// The area code, and what follows it, begin with 2 to 9.
		if len(rest) != 10 || rest[0] < '2' || rest[3] < '2' {
			return ""
		}
		return "+1" + rest
	case trunk && d.trunk != "":
		return "+" + d.code + rest
	case d.trunk == "" && !d.withCode(digits):
		return "+" + d.code + digits
	case d.withCode(digits):
		return "+" + digits
	}
	return "" // a number of the same town, or one without its trunk prefix
}

// beginning is how a pattern whose first digits were written within the country begins
// everywhere, or "": there no number begins so, or it may be meant in several ways.
func (d dialing) beginning(glob string) string {
	for _, exit := range []string{d.exit, "00"} {
		if rest, foreign := strings.CutPrefix(glob, exit); foreign {
			return "+" + rest
		}
	}
	rest, trunk := strings.CutPrefix(glob, d.trunk)
	coded := strings.HasPrefix(glob, d.code)
	switch {
	case d.code == "" || d.code == "1" && strings.IndexAny(rest, "01") == 0: // no area code begins so
		return ""
	case d.code == "1" || trunk && d.trunk != "" || d.trunk == "" && !coded:
		return "+" + d.code + rest
	case d.trunk != "" && coded:
		return "+" + glob
	}
	return ""
}

// withCode reports whether digits begin with the country code, and are long enough for
// a number behind it.
func (d dialing) withCode(digits string) bool {
	const shortest = 8
	least := len(d.code) + shortest
	if d.code == "39" { // whose mobile numbers begin with 39 as well
		least++
	}
	return strings.HasPrefix(digits, d.code) && len(digits) >= least
}

// dialingIn is how numbers are written in a country; the zero value: nobody knows.
func dialingIn(country string) dialing {
	for entry := range strings.FieldsSeq(countryDialing) {
		names, how, _ := strings.Cut(entry, "=")
		for name := range strings.SplitSeq(names, ",") {
			if name != country {
				continue
			}
			part := append(strings.Split(how, "/"), "", "")
			d := dialing{code: part[0], trunk: part[1], exit: part[2]}
			if d.exit == "" {
				d.exit = "00"
			}
			return d
		}
	}
	return dialing{exit: "00"}
}

// countryDialing are calling codes, trunk prefixes and exit codes (00 where none is
// given), of countries that have the same ones together. Source: ITU-T E.164, list of
// assigned country codes, and E.164 national numbering plans.
const countryDialing = `
US,CA,AG,AI,AS,BB,BM,BS,DM,DO,GD,GU,JM,KN,KY,LC,MP,MS,PR,SX,TC,TT,UM,VC,VG,VI=1/1/011
RU=7/8/810 KZ=7/8/810 EG=20/0 ZA=27/0 GR=30 NL=31/0 BE=32/0 FR=33/0 ES=34 HU=36/06 IT,VA=39 RO=40/0
CH=41/0 AT=43/0 GB,GG,IM,JE=44/0 DK=45 SE=46/0 NO,SJ,BV=47 PL=48 DE=49/0 PE=51/0 MX=52 CU=53/0/119 AR=54/0
BR=55/0 CL=56 CO=57 VE=58/0 MY=60/0 AU,CC,CX=61/0/0011 ID=62/0 PH=63/0 NZ,PN=64/0 SG=65//000 TH=66/0/001
JP=81/0/010 KR=82/0 VN=84/0 CN=86/0 TR=90/0 IN=91/0 PK=92/0 AF=93/0 LK=94/0 MM=95/0 IR=98/0
SS=211/0 MA,EH=212/0 DZ=213/0 TN=216 LY=218/0 GM=220 SN=221 MR=222 ML=223 GN=224 CI=225 BF=226 NE=227 TG=228
BJ=229 MU=230//020 LR=231/0 SL=232/0 GH=233/0 NG=234/0/009 TD=235 CF=236 CM=237 CV=238 ST=239 GQ=240 GA=241
CG=242 CD=243/0 AO=244 GW=245 IO=246 SC=248 SD=249/0 RW=250/0 ET=251/0 SO=252/0 DJ=253 KE=254/0/000
TZ=255/0/000 UG=256/0/000 BI=257 MZ=258 ZM=260/0 MG=261/0 RE,YT,TF=262/0 ZW=263/0 NA=264/0 MW=265/0 LS=266
BW=267 SZ=268 KM=269 SH=290 ER=291/0 AW=297 FO=298 GL=299 GI=350 PT=351 LU=352 IE=353/0 IS=354 AL=355/0
MT=356 CY=357 FI,AX=358/0 BG=359/0 LT=370/0 LV=371 EE=372 MD=373/0 AM=374/0 BY=375/8/810 AD=376 MC=377
SM=378 UA=380/0 RS=381/0 ME=382/0 XK=383/0 HR=385/0 SI=386/0 BA=387/0 MK=389/0 CZ=420 SK=421/0 LI=423
FK=500 BZ=501 GT=502 SV=503 HN=504 NI=505 CR=506 PA=507 PM=508/0 HT=509 GP,BL,MF=590/0 BO=591/0 GY=592//001
EC=593/0 GF=594/0 PY=595/0 MQ=596/0 SR=597 UY=598/0 CW,BQ=599 TL=670 AQ=672 NF=672 BN=673 NR=674 PG=675
TO=676 SB=677 VU=678 FJ=679 PW=680//011 WF=681 CK=682 NU=683 WS=685/ KI=686 NC=687 TV=688 PF=689 TK=690
FM=691//011 MH=692/1/011 KP=850/0 HK=852//001 MO=853 KH=855/0/001 LA=856/0 BD=880/0 TW=886/0/002 MV=960
LB=961/0 JO=962/0 SY=963/0 IQ=964/0 KW=965 SA=966/0 YE=967/0 OM=968 PS=970/0 AE=971/0 IL=972/0 BH=973 QA=974
BT=975 MN=976/0/001 NP=977/0 TJ=992//810 TM=993/8/810 AZ=994/0 GE=995/0 KG=996/0 UZ=998 GS=500 HM=672`

// amiss is why digits that were written within the country are no number there.
func (d dialing) amiss(digits, country string) string {
	if d.code != "1" {
		return "it is none as people in " + country + " write them"
	}
	switch n := len(strings.TrimPrefix(digits, d.trunk)); {
	case n < 10:
		return fmt.Sprintf("it is too short for %s: it has %d digits, and one with its area code has 10", country, n)
	case n > 10:
		return fmt.Sprintf("it is too long for %s: it has %d digits, and one with its area code has 10", country, n)
	}
	return "in " + country + " the area code, and the number after it, begin with 2 to 9"
}
