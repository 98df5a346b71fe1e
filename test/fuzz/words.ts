/** The words of a text, for lists of what has no blanks. */
export function words(text: string): string[] {
  return text.trim().split(/\s+/);
}
