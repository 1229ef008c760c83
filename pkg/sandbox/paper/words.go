package paper

import (
	"math/rand/v2"
	"strings"
)

// trade is who sends a letter and what such letters say. In each phrase, # is
// any digit and {a|b} one of the two.
type trade struct {
	name     string // letterhead
	street   string
	to       string
	subject  string
	greeting string
	phrases  []string // the sentences
	heads    string   // of a table
	entries  []string
	closing  string
	role     string // who signs
}

func trades() []trade {
	return []trade{{
		name:     "{Harbor View|Alder Creek|Northgate|Stone Bridge} {Family Medicine|Internal Medicine|Pediatrics}",
		street:   "##0 {Linden|Quarry|Orchard} {Avenue|Road}, Suite ##0",
		to:       "{Cardiology|Radiology|Orthopedic} Referral Desk",
		subject:  "{Referral|Records request|Prior authorization} - chart 4##-####",
		greeting: "To the referral coordinator:",
		phrases: []string{
			"The patient with chart number 4##-#### was seen in our office {last week|this morning|on a follow-up visit} and reports {intermittent chest discomfort|persistent knee pain|shortness of breath on exertion}.",
			"Blood pressure was 1#4/8# with a resting pulse of 7# and oxygen saturation of 9# percent.",
			"Please {schedule|arrange} an evaluation within the next 1# {business days|days} and {call|fax} our office with the date.",
			"Current medications are {lisinopril 10 mg|metoprolol 25 mg|atorvastatin 20 mg} daily and {aspirin 81 mg|metformin 500 mg twice daily}.",
			"No known drug allergies are {on file|recorded}; the last {electrocardiogram|chest film} was {unremarkable|within normal limits}.",
			"Prior authorization number PA-##4#7# has been {requested|issued} and is valid for ## days.",
			"{Relevant|The most recent} laboratory results are attached to this transmission for your review.",
			"If records from an earlier visit are needed, please return the enclosed release form {to this office|by fax}.",
			"We appreciate your {prompt attention|help} in coordinating this patient's care.",
		},
		heads:   "TEST                     RESULT     RANGE        FLAG",
		entries: []string{"Sodium, serum            14# mmol/L 136-145", "Potassium, serum         4.# mmol/L 3.5-5.1", "Glucose, fasting         1## mg/dL  70-99        {H|}", "Creatinine               0.#  mg/dL 0.6-1.3", "Hemoglobin               13.# g/dL  12.0-16.0", "White blood cells        7.# K/uL   4.0-11.0", "Cholesterol, total       2## mg/dL  < 200        {H|}", "Thyrotropin              2.# mIU/L  0.4-4.0", "Hemoglobin A1c           6.# %      < 5.7        {H|}", "Calcium                  9.# mg/dL  8.6-10.3"},
		closing: "With kind regards,",
		role:    "{Attending physician|Nurse practitioner|Referral coordinator}",
	}, {
		name:     "{Juniper|Old Mill|Riverside|Corner} {Pharmacy|Community Pharmacy|Apothecary}",
		street:   "#0# {Main|Third|Market} Street",
		to:       "Prescriber, refill desk",
		subject:  "{Refill authorization|Prescription clarification|Prior authorization} - Rx 7######",
		greeting: "Dear prescriber:",
		phrases: []string{
			"Our customer has requested a refill of the prescription named below, which has {no refills remaining|expired}.",
			"Please {mark one of the boxes|complete the form}, sign and return this page by fax to the number above.",
			"Rx 7###### was last {dispensed|filled} for a {30|90} day supply with # tablets remaining.",
			"The plan requires {prior authorization|a quantity limit override} under claim reference C##-####-#.",
			"A generic equivalent is {in stock|available tomorrow} and will be substituted unless you write otherwise.",
			"{Directions on file|Instructions} read: take one tablet by mouth {daily|twice daily|at bedtime} with food.",
			"An interaction with {warfarin|a potassium supplement} was {flagged|noted} by our system; kindly confirm that therapy should continue.",
			"Without an answer by {noon|close of business} tomorrow we will {call your office|send this request again}.",
		},
		heads:   "DRUG                     STRENGTH   QTY   REFILLS  OK?",
		entries: []string{"Lisinopril tablet        10 mg      90    #        [ ]", "Metformin ER tablet      500 mg     180   #        [ ]", "Amoxicillin capsule      500 mg     21    0        [ ]", "Levothyroxine tablet     75 mcg     90    #        [ ]", "Albuterol inhaler        90 mcg     1     #        [ ]", "Sertraline tablet        50 mg      30    #        [ ]", "Omeprazole capsule       20 mg      30    #        [ ]"},
		closing: "Thank you,",
		role:    "Pharmacist on duty",
	}, {
		name:     "{Superior|Municipal|County} Court, {Third|Fifth|Ninth} {District|Division}",
		street:   "Clerk of the Court, {1|2|3}## {Civic Center|Courthouse} Plaza",
		to:       "Counsel of record",
		subject:  "{Notice of hearing|Order|Scheduling notice} - case CV-2#-0####",
		greeting: "TO ALL PARTIES AND THEIR COUNSEL:",
		phrases: []string{
			"PLEASE TAKE NOTICE that the above matter is set for {hearing|a case management conference} in Department ## at {8:30|9:00|10:30} a.m.",
			"Any opposition shall be filed and served no later than {5|9|16} court days before the date of the {hearing|conference}.",
			"The parties shall meet and confer and shall file a joint statement not exceeding 1# pages.",
			"{Remote appearance|Appearance by telephone} is permitted upon notice to the clerk of at least {2|3|5} days.",
			"The motion to {compel further responses|continue the trial date} is taken under submission.",
			"Good cause appearing, the deadline for {discovery|expert disclosure} is extended by ## days.",
			"Proof of service of this notice shall be lodged with the clerk {forthwith|within {3|5|7} days}.",
			"Failure to appear may result in {sanctions|dismissal} under the local rules, section #.##.",
		},
		heads:   "NO.   FILED      DOCUMENT                         PAGES",
		entries: []string{"0##   0#/1#      Complaint for damages            1#", "0##   0#/1#      Answer to complaint              #", "0##   0#/2#      Notice of motion                 #", "0##   0#/2#      Declaration in support           ##", "0##   0#/0#      Proof of service                 2", "0##   0#/0#      Proposed order                   3", "0##   0#/1#      Stipulation and order            4"},
		closing: "By order of the court,",
		role:    "Deputy clerk",
	}, {
		name:     "{Summit|Keystone|Blue Heron} {Title & Escrow|Freight Lines|Insurance Services}",
		street:   "P.O. Box 4##, {Lakeside|Industrial} Park",
		to:       "Accounts and claims",
		subject:  "{Claim|Invoice|File} ##-###### - documents {requested|enclosed}",
		greeting: "Good day,",
		phrases: []string{
			"Further to our call {this morning|of yesterday} we enclose the documents for file ##-######.",
			"The balance of $#,4##.## is due {on receipt|within ## days} and may be paid by check or wire.",
			"Please {sign|initial} each page where marked and return all pages by fax {today|before Friday}.",
			"The adjuster's inspection found {no further damage|damage to the loading dock} and supports the estimate.",
			"A certificate of {insurance|weight} will follow under separate cover.",
			"Kindly confirm receipt of all pages; call us {at once|today} should any page be missing or unreadable.",
			"Delivery of ## pallets is scheduled for {Monday|Tuesday|Thursday} between 8 a.m. and noon.",
			"Originals will be sent by {courier|registered mail} to the address on file.",
		},
		heads:   "ITEM   DESCRIPTION                  QTY    AMOUNT",
		entries: []string{"##1#   Handling, per pallet         1#     1##.00", "##2#   Storage, per day             #      4#.50", "##3#   Recording fee                1      7#.00", "##4#   Inspection                   1      2##.00", "##5#   Courier                      #      3#.25", "##6#   Document preparation         1      9#.00"},
		closing: "Sincerely,",
		role:    "{Claims|Office|Dispatch} manager",
	}}
}

// write fills a phrase in.
func write(r *rand.Rand, phrase string) string {
	var out strings.Builder
	for phrase != "" {
		switch c := phrase[0]; c {
		case '#':
			out.WriteByte(byte('1' + r.IntN(9)))
		case '{':
			choice, rest, _ := strings.Cut(phrase[1:], "}")
			all := strings.Split(choice, "|")
			phrase = all[r.IntN(len(all))] + rest
			continue
		default:
			out.WriteByte(c)
		}
		phrase = phrase[1:]
	}
	return out.String()
}

// sentences are those of t in some order.
func (t trade) sentences(r *rand.Rand) []string {
	all := make([]string, len(t.phrases))
	for i, from := range r.Perm(len(t.phrases)) {
		all[i] = write(r, t.phrases[from])
	}
	return all
}

// wrap breaks s into lines of at most n characters, between words.
func wrap(s string, n int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(s) {
		switch {
		case line == "":
			line = word
		case len(line)+1+len(word) <= n:
			line += " " + word
		default:
			lines, line = append(lines, line), word
		}
	}
	return append(lines, line)
}
