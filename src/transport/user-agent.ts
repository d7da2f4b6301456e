import { version } from '../version.ts'

/** How this engine names itself to peers, where nobody told it another name: `Sluice/0.1.0 (linux/x64)`. */
export const USER_AGENT = `Sluice/${version()} (${process.platform}/${process.arch})`
