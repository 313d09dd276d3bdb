/** CPU time of a process, or a part of it: microseconds in its own code and in the kernel. */
export interface CpuTime {
  readonly userUs: number;
  readonly systemUs: number;
}

/** Of this process, since `since`. */
export function cpuTimeSince(since: CpuTime = { userUs: 0, systemUs: 0 }): CpuTime {
  const { user, system } = process.cpuUsage();
  return { userUs: user - since.userUs, systemUs: system - since.systemUs };
}
