/** @module Common English words from which suites make words and sentences. */

const list = (words: string): readonly string[] => words.trim().split(/\s+/);

export const NOUNS = list(`
  apple animal answer autumn balloon barn basket bear bell bird blanket boat book bottle bread bridge brother bucket butter button
  camera candle castle cat chair cheese chicken circle city clock cloud coat corner cousin cow cup curtain daughter desk dinner doctor
  dog door dragon dream drum duck engine evening family farmer father feather fence finger fish flag flower forest fox friend frog
  garden gate ghost girl glass glove goat grass guitar hammer harbour hat hill horse house island jacket kettle key kitchen kite
  ladder lake lamp leaf lemon letter lion market meadow mirror monkey moon morning mountain mouse museum nest night number ocean
  orange oven owl painter paper parrot party path pencil piano picture pillow pirate planet plate pocket potato present puppet queen
  rabbit radio river road robot roof room rope sailor sandwich school shadow sheep shelf ship shoe singer sister snow soldier song
  spoon spring squirrel stairs star station stone story street summer table teacher thunder ticket tiger tower train tree tunnel
  turtle uncle village violin wagon wall water weather wheel whistle window winter wolf wood
`);

export const ADJECTIVES = list(`
  ancient bitter black blue brave bright broken calm careful cheap clean clever cold curious dark deep dry early empty famous
  friendly gentle golden green happy heavy hidden hollow honest hungry large lazy little lonely loud narrow noisy old orange
  patient pretty proud purple quick quiet red round sharp shiny silent silver simple sleepy slow small smooth soft strange strong
  sweet tall thin tiny tired warm wet white wild wise wooden yellow young
`);

export const VERBS = list(`
  borrowed bought brought built carried caught cleaned closed counted covered described discovered drew dropped fixed followed
  forgot found gave hid imagined kept kicked left lifted lost made moved noticed opened packed painted passed praised pulled pushed
  remembered repaired returned saw sold stole studied threw took touched visited watched wanted washed
`);

export const PLACES = list('above across behind below beside inside near outside past through under');

export const NAMES = list(`
  Ada Ben Carla Daniel Emma Felix Grace Henry Ida Jonas Kara Leo Maya Noah Olga Peter Quentin Rosa Samuel Tara Ulf Vera Walter
  Xenia Yusuf Zoe
`);
