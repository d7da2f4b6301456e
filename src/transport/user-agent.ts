/** How this engine names itself to peers, where nobody told it another name. */
export const USER_AGENT = `Sluice (${process.platform}/${process.arch})`
