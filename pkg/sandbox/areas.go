package sandbox

// countries says what is sold where: the type as paths spell it, the price of a
// month in US dollars, what kind of address a buyer must have (none, any, local
// or foreign) and "bundle" where the regulator wants papers too.
const countries = `
US 1  United States  | Local 1.15 none; TollFree 2.15 none
CA 1  Canada         | Local 1.15 none; TollFree 2.15 none
GB 44 United Kingdom | Local 1.15 none; Mobile 1.15 any; National 1.15 none; TollFree 2.15 none
DE 49 Germany        | Local 1.15 local bundle; Mobile 15.00 local bundle; TollFree 25.00 any bundle
NL 31 Netherlands    | Local 1.50 local; Mobile 6.00 none; National 1.50 any; TollFree 15.00 any
AU 61 Australia      | Local 3.00 any; Mobile 6.50 foreign; TollFree 16.00 any
`

// areas is where the numbers are: country, type, national prefix, how many
// digits follow it, then for local numbers region, LATA and the places, each
// with its rate center, postal code, latitude and longitude.
const areas = `
US Local 415 7 CA 722 | San Francisco,SNFC CNTRL,94103,37.7749,-122.4194; Sausalito,SAUSALITO,94965,37.8591,-122.4853; San Rafael,SAN RAFAEL,94901,37.9735,-122.5311
US Local 628 7 CA 722 | San Francisco,SNFC CNTRL,94110,37.7599,-122.4148; Novato,NOVATO,94947,38.1074,-122.5697
US Local 510 7 CA 722 | Oakland,OKLD MN-PD,94612,37.8044,-122.2712; Berkeley,OKLD BKLY,94704,37.8715,-122.2730; Fremont,FRMT NEWRK,94538,37.5485,-121.9886
US Local 650 7 CA 722 | Palo Alto,PALO ALTO,94301,37.4419,-122.1430; San Mateo,SAN MATEO,94401,37.5630,-122.3255
US Local 408 7 CA 722 | San Jose,SNJS WEST,95113,37.3382,-121.8863; Sunnyvale,SUNNYVALE,94086,37.3688,-122.0363
US Local 213 7 CA 730 | Los Angeles,LSAN DA 01,90012,34.0522,-118.2437
US Local 310 7 CA 730 | Santa Monica,SNMN SNMN,90401,34.0195,-118.4912; Torrance,REDONDO,90503,33.8358,-118.3406
US Local 619 7 CA 732 | San Diego,SNDG SNDG,92101,32.7157,-117.1611; Chula Vista,CHULAVISTA,91910,32.6401,-117.0842
US Local 212 7 NY 132 | New York,NWYRCYZN01,10001,40.7128,-74.0060
US Local 646 7 NY 132 | New York,NWYRCYZN01,10011,40.7420,-74.0007
US Local 718 7 NY 132 | Brooklyn,NWYRCYZN06,11201,40.6782,-73.9442; Bronx,NWYRCYZN03,10451,40.8448,-73.8648; Queens,NWYRCYZN09,11375,40.7282,-73.7949
US Local 917 7 NY 132 | New York,NWYRCYZN01,10018,40.7551,-73.9937
US Local 312 7 IL 358 | Chicago,CHICAGOZN1,60601,41.8781,-87.6298
US Local 773 7 IL 358 | Chicago,CHICAGOZN2,60618,41.9484,-87.6553; Elmwood Park,CHICAGOZN8,60707,41.9211,-87.8092
US Local 206 7 WA 674 | Seattle,SEATTLE,98101,47.6062,-122.3321; Vashon,VASHON,98070,47.4473,-122.4596
US Local 425 7 WA 674 | Bellevue,BELLEVUE,98004,47.6101,-122.2015; Kirkland,KIRKLAND,98033,47.6769,-122.2060
US Local 512 7 TX 558 | Austin,AUSTIN,78701,30.2672,-97.7431; Round Rock,ROUND ROCK,78664,30.5083,-97.6789
US Local 737 7 TX 558 | Austin,AUSTIN,78704,30.2427,-97.7658
US Local 214 7 TX 552 | Dallas,DALLAS,75201,32.7767,-96.7970
US Local 713 7 TX 560 | Houston,HOUSTON,77002,29.7604,-95.3698
US Local 305 7 FL 460 | Miami,MIAMI,33130,25.7617,-80.1918; Key West,KEY WEST,33040,24.5551,-81.7800
US Local 404 7 GA 438 | Atlanta,ATLANTA,30303,33.7490,-84.3880
US Local 617 7 MA 128 | Boston,BOSTON,02108,42.3601,-71.0589; Cambridge,CAMBRIDGE,02139,42.3736,-71.1097
US Local 202 7 DC 236 | Washington,WSHNGTNZN1,20001,38.9072,-77.0369
US Local 215 7 PA 228 | Philadelphia,PHLADLPHIA,19103,39.9526,-75.1652
US Local 303 7 CO 656 | Denver,DENVER,80202,39.7392,-104.9903; Boulder,BOULDER,80302,40.0150,-105.2705
US Local 602 7 AZ 666 | Phoenix,PHOENIX,85004,33.4484,-112.0740
US Local 702 7 NV 721 | Las Vegas,LAS VEGAS,89101,36.1699,-115.1398
US Local 503 7 OR 672 | Portland,PORTLAND,97204,45.5152,-122.6784; Salem,SALEM,97301,44.9429,-123.0351
US Local 612 7 MN 628 | Minneapolis,TWINCITIES,55401,44.9778,-93.2650
US Local 313 7 MI 340 | Detroit,DETROITZN1,48226,42.3314,-83.0458
US Local 615 7 TN 470 | Nashville,NASHVILLE,37203,36.1627,-86.7816
US Local 919 7 NC 426 | Raleigh,RALEIGH,27601,35.7796,-78.6382; Durham,DURHAM,27701,35.9940,-78.8986
US Local 801 7 UT 660 | Salt Lake City,SALTLKCITY,84101,40.7608,-111.8910
US Local 504 7 LA 490 | New Orleans,NEWORLEANS,70112,29.9511,-90.0715
US Local 808 7 HI 834 | Honolulu,HONOLULU,96813,21.3069,-157.8583; Hilo,HILO,96720,19.7241,-155.0868
US Local 907 7 AK 832 | Anchorage,ANCHORAGE,99501,61.2181,-149.9003
US TollFree 833 7
US TollFree 844 7
US TollFree 866 7
US TollFree 888 7
CA Local 416 7 ON 888 | Toronto,TORONTO,M5H 2N2,43.6532,-79.3832
CA Local 647 7 ON 888 | Toronto,TORONTO,M4W 1A8,43.6708,-79.3860
CA Local 613 7 ON 888 | Ottawa,OTTAWAHULL,K1P 1J1,45.4215,-75.6972; Kingston,KINGSTON,K7L 1A1,44.2312,-76.4860
CA Local 514 7 QC 888 | Montréal,MONTREAL,H2Y 1C6,45.5017,-73.5673
CA Local 604 7 BC 888 | Vancouver,VANCOUVER,V6B 1A1,49.2827,-123.1207; Burnaby,BURNABY,V5H 4N2,49.2488,-122.9805
CA Local 778 7 BC 888 | Vancouver,VANCOUVER,V5K 0A1,49.2812,-123.0451
CA Local 403 7 AB 888 | Calgary,CALGARY,T2P 1J9,51.0447,-114.0719
CA TollFree 855 7
CA TollFree 877 7
GB Local 20 8 - - | London,-,EC1A,51.5074,-0.1278
GB Local 161 7 - - | Manchester,-,M1,53.4808,-2.2426
GB Local 121 7 - - | Birmingham,-,B1,52.4862,-1.8904
GB Local 131 7 - - | Edinburgh,-,EH1,55.9533,-3.1883
GB Local 117 7 - - | Bristol,-,BS1,51.4545,-2.5879
GB Mobile 7480 6
GB Mobile 7723 6
GB National 330 7
GB TollFree 800 7
GB TollFree 808 7
DE Local 30 8 - - | Berlin,-,10115,52.5200,13.4050
DE Local 89 8 - - | München,-,80331,48.1351,11.5820
DE Local 40 8 - - | Hamburg,-,20095,53.5511,9.9937
DE Local 69 8 - - | Frankfurt am Main,-,60311,50.1109,8.6821
DE Local 221 8 - - | Köln,-,50667,50.9375,6.9603
DE Mobile 1573 7
DE TollFree 800 7
NL Local 20 7 - - | Amsterdam,-,1012,52.3676,4.9041
NL Local 10 7 - - | Rotterdam,-,3011,51.9244,4.4777
NL Local 70 7 - - | Den Haag,-,2511,52.0705,4.3007
NL Mobile 6 8
NL National 85 7
NL TollFree 800 7
AU Local 2 8 NSW - | Sydney,-,2000,-33.8688,151.2093; Newcastle,-,2300,-32.9283,151.7817
AU Local 3 8 VIC - | Melbourne,-,3000,-37.8136,144.9631
AU Local 7 8 QLD - | Brisbane,-,4000,-27.4698,153.0251
AU Local 8 8 WA - | Perth,-,6000,-31.9505,115.8605
AU Mobile 4 8
AU TollFree 1800 6
`
