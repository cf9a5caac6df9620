/**
 * The types of `ms`, which Temporal's `Duration` is made of. The package exports no types, so without this
 * every `Duration` would be `any` and any text a duration.
 */
declare module 'ms' {
  type Long =
    | 'Years'
    | 'Year'
    | 'Yrs'
    | 'Yr'
    | 'Weeks'
    | 'Week'
    | 'Days'
    | 'Day'
    | 'Hours'
    | 'Hour'
    | 'Hrs'
    | 'Hr'
    | 'Minutes'
    | 'Minute'
    | 'Mins'
    | 'Min'
    | 'Seconds'
    | 'Second'
    | 'Secs'
    | 'Sec'
    | 'Milliseconds'
    | 'Millisecond'
    | 'Msecs'
    | 'Msec';
  type Unit = Long | 'Y' | 'W' | 'D' | 'H' | 'M' | 'S' | 'Ms';
  type AnyCase = Unit | Lowercase<Unit> | Uppercase<Unit>;

  export type StringValue = `${number}` | `${number}${AnyCase}` | `${number} ${AnyCase}`;
  export default function ms(value: StringValue): number;
}
