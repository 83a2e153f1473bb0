// Declares Node's fast Buffer readers that @types/node leaves out: no argument checks, one call into C++.

declare global {
  interface Buffer {
    utf8Slice(start: number, end: number): string
    latin1Slice(start: number, end: number): string
  }
}

export {}
