// Zigzag varints, the numbers inside a record: small magnitudes take few bytes.

/** Bytes that {@link writeZigzag} takes for `value`. */
export function zigzagSize(value: number): number {
  if (value >= -64 && value < 64) return 1
  if (value >= -8192 && value < 8192) return 2
  if (value >= -1048576 && value < 1048576) return 3
  let size = 4
  for (let limit = 0x8000000; value < -limit || value >= limit; limit *= 128) size++
  return size
}

/** Writes `value` at `start` and answers the position behind it. 32-bit arithmetic within ±2^30; floats, exact below 2^52, beyond. */
export function writeZigzag(buffer: Buffer, start: number, value: number): number {
  let at = start
  if (value >= -0x40000000 && value < 0x40000000) {
    let rest = (value << 1) ^ (value >> 31)
    while (rest > 127) {
      buffer[at++] = (rest & 127) | 128
      rest >>>= 7
    }
    buffer[at++] = rest
    return at
  }
  let rest = value < 0 ? -value * 2 - 1 : value * 2
  while (rest > 127) {
    buffer[at++] = (rest % 128) | 128
    rest = Math.floor(rest / 128)
  }
  buffer[at++] = rest
  return at
}
