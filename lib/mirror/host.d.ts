/**
 * The one name of Node's types that the declarations of lru-cache use. The library is compiled without Node's types, too;
 * where they are there, this adds nothing to them.
 */
declare namespace NodeJS {
  // biome-ignore lint/suspicious/noEmptyInterface: merges with Node's own, which a type alias would not
  interface Timeout {}
}
