/** Stops the whole process, as SIGSTOP and SIGCONT do. */
export function stopProcess(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
