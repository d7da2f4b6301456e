const ALPHABET = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** Three bytes as crypt writes them: four characters of six bits each, the lowest first; or only the first few of them. */
export function sixBits(high: number, middle: number, low: number, characters = 4): string {
  let text = ''
  for (let i = 0, rest = (high << 16) | (middle << 8) | low; i < characters; i++, rest >>>= 6)
    text += ALPHABET[rest & 63]
  return text
}
