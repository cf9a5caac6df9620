/** The workflows of a worker that Drover joins: the bundler puts their path in the place of this name. */
declare module 'drover-own-workflows' {
  const fallback: unknown;
  export default fallback;
}
