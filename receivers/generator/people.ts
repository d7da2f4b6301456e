import type { Random } from './random.ts'

const FIRST = ['ana', 'ben', 'chloe', 'deniz', 'emeka', 'freya', 'goran', 'hana', 'ines', 'jun', 'kofi', 'lena', 'mira']
const LAST = ['silva', 'okafor', 'keller', 'tanaka', 'novak', 'martin', 'haddad', 'larsen', 'costa', 'weber', 'diallo']

/** Who shops. All of it is made up; the mail domains are reserved for examples (RFC 2606). */
export interface Person {
  readonly id: string
  readonly name: string
  readonly email: string
  /** 16 digits with a valid check digit, so that a detector which verifies it finds it. */
  readonly card: string
  readonly phone: string
  /** From the ranges for documentation (RFC 5737). */
  readonly address: string
}

export function makePerson(random: Random): Person {
  const first = random.pick(FIRST)
  const last = random.pick(LAST)
  return {
    id: `u-${10_000 + random.below(50_000)}`,
    name: `${capital(first)} ${capital(last)}`,
    email: `${first}.${last}${random.below(100)}@${random.pick(['example.com', 'example.org', 'mail.example.net'])}`,
    card: cardNumber(random),
    phone: `+1-202-555-01${random.digits(2)}`,
    address: `${random.pick(['192.0.2', '198.51.100', '203.0.113'])}.${1 + random.below(254)}`,
  }
}

/** A number of the test ranges' shape, in one of the ways people write it. */
function cardNumber(random: Random): string {
  const digits = `${random.pick(['4', '51', '55'])}${random.digits(15)}`.slice(0, 15)
  const number = digits + checkDigit(digits)
  const separator = random.pick(['', '', '-', ' '])
  return number.replace(/(\d{4})(?=\d)/g, `$1${separator}`)
}

/** Luhn's (ISO/IEC 7812-1, annex B). */
function checkDigit(digits: string): number {
  let sum = 0
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits[digits.length - 1 - i]) * (i % 2 === 0 ? 2 : 1)
    sum += digit > 9 ? digit - 9 : digit
  }
  return (10 - (sum % 10)) % 10
}

function capital(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1)
}
