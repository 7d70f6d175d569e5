/** A problem that is already said in a whole sentence. */
export class PlainProblem extends Error {
  override readonly name = 'PlainProblem';
}
