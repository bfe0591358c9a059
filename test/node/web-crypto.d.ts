/** A type of the Worker's runtime that files of the Worker name, and that Node has as a value only. */
type CryptoKey = import('node:crypto').webcrypto.CryptoKey
