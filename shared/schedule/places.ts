import { distance } from 'fastest-levenshtein';

/** What people write for a time zone that is no name of the IANA list, and the name that they mean. Pure. */

/** Abbreviations that name no place, and a place of each. */
export const abbreviations: Readonly<Record<string, string>> = {
  GB: 'Europe/London',
  UK: 'Europe/London',
  USA: 'America/New_York, America/Chicago, America/Denver or America/Los_Angeles',
  NZ: 'Pacific/Auckland',
  UCT: 'UTC',
  Z: 'UTC',
  GMT: 'UTC, or Europe/London for London time',
  BST: 'Europe/London',
  WET: 'Europe/Lisbon',
  CET: 'Europe/Berlin or Europe/Paris',
  CEST: 'Europe/Berlin or Europe/Paris',
  MET: 'Europe/Berlin',
  EET: 'Europe/Athens',
  EDT: 'America/New_York',
  CST: 'America/Chicago',
  MDT: 'America/Denver',
  PST: 'America/Los_Angeles',
  IST: 'Asia/Kolkata',
  JST: 'Asia/Tokyo',
  KST: 'Asia/Seoul',
  SGT: 'Asia/Singapore',
  HKT: 'Asia/Hong_Kong',
  MSK: 'Europe/Moscow',
  SAST: 'Africa/Johannesburg',
  AEST: 'Australia/Sydney, or Australia/Brisbane (no summer time)',
  AEDT: 'Australia/Sydney',
  NZST: 'Pacific/Auckland',
  NZDT: 'Pacific/Auckland',
  BRT: 'America/Sao_Paulo',
};

/** Names of Windows, without `Standard Time`: the mapping of Unicode CLDR (supplemental/windowsZones.xml, territory 001). */
export const windows: Readonly<Record<string, string>> = {
  hawaiian: 'Pacific/Honolulu',
  alaskan: 'America/Anchorage',
  pacific: 'America/Los_Angeles',
  'us mountain': 'America/Phoenix',
  mountain: 'America/Denver',
  central: 'America/Chicago',
  'central standard time (mexico)': 'America/Mexico_City',
  'canada central': 'America/Regina',
  eastern: 'America/New_York',
  atlantic: 'America/Halifax',
  newfoundland: 'America/St_Johns',
  'sa pacific': 'America/Bogota',
  'pacific sa': 'America/Santiago',
  argentina: 'America/Argentina/Buenos_Aires',
  'e. south america': 'America/Sao_Paulo',
  greenwich: 'Atlantic/Reykjavik',
  gmt: 'Europe/London',
  'w. europe': 'Europe/Berlin',
  'central europe': 'Europe/Budapest',
  'central european': 'Europe/Warsaw',
  romance: 'Europe/Paris',
  gtb: 'Europe/Bucharest',
  fle: 'Europe/Kyiv',
  'e. europe': 'Europe/Chisinau',
  turkey: 'Europe/Istanbul',
  russian: 'Europe/Moscow',
  morocco: 'Africa/Casablanca',
  'w. central africa': 'Africa/Lagos',
  egypt: 'Africa/Cairo',
  'south africa': 'Africa/Johannesburg',
  'e. africa': 'Africa/Nairobi',
  'middle east': 'Asia/Beirut',
  israel: 'Asia/Jerusalem',
  arab: 'Asia/Riyadh',
  arabic: 'Asia/Baghdad',
  arabian: 'Asia/Dubai',
  iran: 'Asia/Tehran',
  pakistan: 'Asia/Karachi',
  india: 'Asia/Kolkata',
  'sri lanka': 'Asia/Colombo',
  nepal: 'Asia/Kathmandu',
  bangladesh: 'Asia/Dhaka',
  'se asia': 'Asia/Bangkok',
  china: 'Asia/Shanghai',
  singapore: 'Asia/Singapore',
  taipei: 'Asia/Taipei',
  tokyo: 'Asia/Tokyo',
  korea: 'Asia/Seoul',
  'w. australia': 'Australia/Perth',
  'aus central': 'Australia/Darwin',
  'cen. australia': 'Australia/Adelaide',
  'e. australia': 'Australia/Brisbane',
  'aus eastern': 'Australia/Sydney',
  tasmania: 'Australia/Hobart',
  'new zealand': 'Pacific/Auckland',
};

/** Countries, and large cities that IANA lists under another: it has one place for all that share a clock. */
export const places: Readonly<Record<string, readonly string[]>> = {
  'Europe/London': ['england', 'scotland', 'wales', 'britain', 'great britain', 'united kingdom', 'uk'],
  'Europe/Dublin': ['ireland'],
  'Europe/Berlin': [
    ...['germany', 'deutschland', 'frankfurt', 'munich', 'munchen', 'hamburg', 'cologne', 'koln', 'stuttgart'],
    ...['dusseldorf', 'leipzig', 'nuremberg', 'nurnberg', 'hanover', 'hannover', 'bonn', 'bremen', 'dresden'],
  ],
  'Europe/Zurich': ['switzerland', 'geneva', 'geneve', 'basel', 'bern', 'lausanne'],
  'Europe/Vienna': ['austria', 'wien', 'graz', 'salzburg'],
  'Europe/Paris': ['france', 'lyon', 'marseille', 'toulouse', 'bordeaux'],
  'Europe/Madrid': ['spain', 'barcelona', 'valencia', 'seville'],
  'Europe/Rome': ['italy', 'milan', 'milano', 'turin', 'roma', 'naples'],
  'Europe/Lisbon': ['porto'],
  'Europe/Amsterdam': ['netherlands', 'holland', 'rotterdam', 'the hague', 'eindhoven', 'utrecht'],
  'Europe/Brussels': ['belgium', 'antwerp'],
  'Europe/Copenhagen': ['denmark'],
  'Europe/Stockholm': ['sweden', 'gothenburg'],
  'Europe/Oslo': ['norway'],
  'Europe/Helsinki': ['finland'],
  'Europe/Warsaw': ['krakow', 'wroclaw', 'gdansk'],
  'Europe/Prague': ['czechia', 'czech republic', 'brno'],
  'Europe/Budapest': ['hungary'],
  'Europe/Athens': ['greece'],
  'Europe/Istanbul': ['ankara'],
  'Europe/Moscow': ['russia', 'saint petersburg', 'st petersburg'],
  'Asia/Shanghai': ['beijing', 'peking', 'shenzhen', 'guangzhou', 'hangzhou', 'chengdu'],
  'Asia/Kolkata': ['bangalore', 'bengaluru', 'mumbai', 'bombay', 'delhi', 'new delhi', 'hyderabad', 'chennai', 'pune'],
  'Asia/Tokyo': ['osaka', 'kyoto', 'yokohama'],
  'Asia/Seoul': ['south korea', 'busan'],
  'Asia/Dubai': ['abu dhabi', 'united arab emirates', 'uae'],
  'Asia/Jerusalem': ['tel aviv'],
  'Asia/Ho_Chi_Minh': ['vietnam', 'hanoi'],
  'Africa/Johannesburg': ['cape town', 'pretoria'],
  'America/New_York': [
    ...['boston', 'washington', 'washington dc', 'miami', 'atlanta', 'philadelphia', 'charlotte', 'pittsburgh'],
    ...['united states', 'america'],
  ],
  'America/Chicago': [
    'dallas',
    'houston',
    'austin',
    'minneapolis',
    'st louis',
    'new orleans',
    'united states',
    'america',
  ],
  'America/Denver': ['salt lake city', 'united states', 'america'],
  'America/Los_Angeles': [
    ...['san francisco', 'seattle', 'san diego', 'san jose', 'portland', 'las vegas', 'silicon valley'],
    ...['united states', 'america'],
  ],
  'America/Toronto': ['canada', 'ottawa', 'montreal'],
  'America/Vancouver': ['canada'],
  'America/Edmonton': ['calgary'],
  'America/Sao_Paulo': ['brazil', 'rio de janeiro', 'brasilia'],
  'America/Mexico_City': ['mexico'],
  'Australia/Sydney': ['australia', 'canberra'],
  'Australia/Perth': ['australia'],
  'Pacific/Auckland': ['wellington'],
};

/**
 * The zones, at most four, that someone can mean by a name that is none: those that a table has for it, else the nearest.
 * @param old the zone of an old name. @returns none, where all are too far from it
 */
export function meantZones(name: string, names: readonly string[], old: string | undefined): string[] {
  const wanted = lastPart(name);
  const ofWindows = wanted.replace(/( standard| daylight| summer)? time$/, '');
  if (/ time\b/.test(wanted) && Object.hasOwn(windows, ofWindows)) return [windows[ofWindows] ?? ''];
  const known = Object.entries(places).filter(([, words]) => words.includes(wanted));
  if (known.length > 0) return known.map(([zone]) => zone);
  if (old !== undefined && names.includes(old)) return [old];
  const words = Object.entries(places).flatMap(([zone, some]) => [zone, ...some].map((word) => ({ zone, word })));
  const near = [...names.map((zone) => ({ zone, word: zone })), ...words]
    .map(({ zone, word }) => ({ zone, far: distance(wanted, lastPart(word)), whole: distance(name, word) }))
    .filter(({ far }) => far <= wanted.length / 3)
    .sort((a, b) => a.far - b.far || a.whole - b.whole);
  return [...new Set(near.map(({ zone }) => zone))].slice(0, 3);
}

/** `Europe/São_Paulo` → `sao paulo`. */
function lastPart(name: string): string {
  const part = name.trim().split('/').at(-1) ?? '';
  return part.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase().replaceAll(/[_-]/g, ' ');
}
