/** A number that counts how often it is compared: what a question costs, without a clock. */
export function counted(value: number): { readonly number: number; looks(): number } {
  let looks = 0;
  const look = () => {
    looks++;
    return value;
  };
  return { number: { valueOf: look } as unknown as number, looks: () => looks };
}
