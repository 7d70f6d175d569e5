import AjvCompiler, { type ValidatorFactory } from '@fastify/ajv-compiler';

type Compiler = (route: { readonly schema: unknown; readonly httpPart?: string }) => unknown;
/** What Fastify calls, as far as it is needed here; the library's own types know nothing of `httpPart`. */
type Factory = (schemas: unknown, options: { readonly customOptions?: object }) => Compiler;

/**
 * Fastify's own validators, but for JSON: what a URL carries is text, and is turned into what its schema asks for; a body
 * is taken as it is, so that null is not false.
 */
export function validators(): ValidatorFactory {
  // It keeps what it compiled for others that ask with the same schemas.
  const build = AjvCompiler() as unknown as Factory;
  const factory: Factory = (schemas, options) => {
    const compiler = (coerceTypes: boolean): Compiler =>
      build(schemas, { ...options, customOptions: { ...options.customOptions, coerceTypes } });
    const [ofText, ofJson] = [compiler(true), compiler(false)];
    return (route) => (route.httpPart === 'body' ? ofJson(route) : ofText(route));
  };
  return factory as unknown as ValidatorFactory;
}
